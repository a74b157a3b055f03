import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { spreadOf } from '../bench/contest';
import { processorSecondsOf, processorWaitSecondsOf } from '../bench/processor-time';
import { LineProcess } from '../bench/line-process';
import { projectFolder } from '../e2e/built-program';
import { ExporterProcess, type ExporterProcessOptions } from '../e2e/exporter-process';
import { parseExposition } from '../e2e/scrape';
import { seededRandom } from '../e2e/seeded-random';
import { freePort } from '../fixture/free-port';
import { makeKeyPair } from '../lab/ssh-keys';
import { compareSnapshots, takeSnapshot, type GrownKind } from './heap-snapshot';
import { viewsOf } from './host-view';
import { Judge, type Tally } from './judge';
import { courseOf, growthOf, megabytesPerHour, slopeOf, type MemoryCourse, type MemorySample } from './memory-use';
import { planFleet, type Injection, type SoakSettings } from './plan';

export interface SoakOptions {
  readonly seed: number;
  readonly hosts: number;
  readonly seconds: number;
  readonly kills: number;
  readonly periodSeconds: number;
  readonly timeoutSeconds: number;
  readonly staleAfterSeconds: number;
  readonly scrapeEverySeconds: number;
  /** How much later than planned a probe may be, on a machine that does other things too. */
  readonly slackSeconds: number;
  /** How long the last exporter is left alone. */
  readonly lastLifeSeconds: number;
  /** After how long of an exporter's life its memory counts. */
  readonly warmUpSeconds: number;
  /** How long before its end the last exporter's heap is written for the first time; that takes memory by itself. */
  readonly betweenSnapshotsSeconds: number;
  /** `forget`: the state file is taken away at a kill. */
  readonly injected: readonly (Injection | 'forget')[];
  readonly withSnapshots: boolean;
  readonly say: (line: string) => void;
}

export interface SoakResult {
  readonly seed: number;
  readonly seconds: number;
  readonly hosts: number;
  readonly kills: number;
  readonly killsAtSeconds: readonly number[];
  readonly scrapes: number;
  /** Longest time between two scrapes; writing a heap takes seconds. */
  readonly longestSilenceSeconds: number;
  /** Scrapes without an answer for which other programs on the machine are to blame, one line each. */
  readonly starved: readonly string[];
  /** Milliseconds. */
  readonly scrape: { readonly median: number; readonly most: number };
  readonly tally: Omit<Tally, 'kinds'>;
  readonly kinds: Readonly<Record<string, object>>;
  readonly courses: readonly MemoryCourse[];
  /** The least that each life held when it was just warm, against the time of the run, in MB an hour. */
  readonly acrossLives: { readonly heapMegabytesPerHour: number; readonly residentMegabytesPerHour: number };
  readonly heap: {
    readonly firstMegabytes: number;
    readonly secondMegabytes: number;
    readonly minutesBetween: number;
    readonly grown: readonly GrownKind[];
  } | null;
  readonly fleet: { readonly answers: number; readonly longestBlockSeconds: number };
  readonly faults: readonly string[];
}

const scrapeLimitMs = 1000;
/** By how much memory may be larger at the end of a life than when it was warm. */
const growthTolerance = 0.1;

/** Runs a soak. Whatever is wrong is among the result's faults. */
export async function runSoak(options: SoakOptions): Promise<SoakResult> {
  const soak = new Soak(options, mkdtempSync(join(tmpdir(), 'reboot-exporter-soak-')));
  try {
    return await soak.run();
  } finally {
    await soak.stop();
  }
}

interface Life {
  readonly exporter: ExporterProcess;
  readonly sinceMs: number;
  readonly samples: MemorySample[];
  /** When its heap was first written, which leaves it larger than it was. */
  snapshotMs: number;
}

class Soak {
  private readonly random;
  private readonly settings: SoakSettings;
  private readonly judge: Judge;
  private readonly faults: string[] = [];
  private readonly lives: Life[] = [];
  /** Scrapes without an answer while the exporter was ready to run, and other programs had the processor. */
  private readonly starved: string[] = [];
  private readonly scrapeMs: number[] = [];
  private readonly killsAtMs: number[] = [];
  /** The exporter that has to answer; null while it is killed and started. */
  private life: Life | null = null;
  private fleet: LineProcess | null = null;
  private port = 0;

  constructor(
    private readonly options: SoakOptions,
    private readonly folder: string,
  ) {
    const { seed, hosts, seconds, periodSeconds, timeoutSeconds, staleAfterSeconds, injected } = options;
    this.random = seededRandom(seed);
    // The fleet needs a moment to make its keys and to listen.
    const startMs = Math.ceil(Date.now() / 1000) * 1000 + 5000 + hosts * 20;
    this.settings = {
      seed,
      hosts,
      startMs,
      endMs: startMs + seconds * 1000,
      periodSeconds,
      timeoutSeconds,
      staleAfterSeconds,
      injected: injected.filter((each) => each !== 'forget'),
    };
    this.judge = new Judge(this.settings, planFleet(this.settings), options.slackSeconds);
  }

  async run(): Promise<SoakResult> {
    const { options, settings } = this;
    await this.startFleet();
    const exporterOptions = this.writeConfig();
    await sleep(settings.startMs - Date.now());
    await this.startExporter(exporterOptions);
    const scraping = this.scrapeAll();
    const snapshots = await this.killAndWatch(exporterOptions).finally(() => (this.isOver = true));
    await scraping;
    const figures = JSON.parse((await this.fleet?.ask('figures')) ?? '{}') as SoakResult['fleet'];
    const ending = await this.lives.at(-1)?.exporter.end('SIGTERM');
    if (ending?.code !== 0) this.faults.push(`the exporter ended with ${ending?.code ?? ending?.signal}`);
    const courses = this.judgeMemory();
    if (this.longestSilenceSeconds > options.scrapeEverySeconds * 3 + 120)
      this.faults.push(`nobody looked for ${this.longestSilenceSeconds.toFixed(0)} s`);
    const { kinds, ...tally } = this.judge.finish();
    const heap = snapshots.length < 2 ? null : this.compareHeaps(snapshots);
    const acrossLives = this.judgeAcrossLives();
    return {
      seed: options.seed,
      seconds: options.seconds,
      hosts: options.hosts,
      kills: this.killsAtMs.length,
      killsAtSeconds: this.killsAtMs.map((atMs) => Math.round((atMs - settings.startMs) / 1000)),
      scrapes: this.scrapeMs.length,
      longestSilenceSeconds: this.longestSilenceSeconds,
      starved: this.starved,
      scrape: spreadOf(this.scrapeMs),
      tally,
      kinds: Object.fromEntries(kinds),
      courses,
      acrossLives,
      heap,
      fleet: figures,
      faults: [...this.faults, ...this.judge.faults],
    };
  }

  async stop(): Promise<void> {
    for (const { exporter } of this.lives) await exporter.kill();
    await this.fleet?.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private isOver = false;
  /** Longest time between two looks at an exporter that was there. */
  private longestSilenceSeconds = 0;

  private async startFleet(): Promise<void> {
    this.port = await freePort();
    const hook = join(projectFolder, 'test/lab/typescript-hook.cjs');
    const program = join(projectFolder, 'test/soak/fleet-process.ts');
    const argv = ['--require', hook, program, this.folder, JSON.stringify(this.settings), `${this.port}`];
    this.fleet = LineProcess.start(process.execPath, argv);
    await this.fleet.read();
    if (Date.now() > this.settings.startMs) throw new Error('the fleet took too long to start');
  }

  private writeConfig(): ExporterProcessOptions {
    const { folder, settings, port } = this;
    writeFileSync(join(folder, 'id_ed25519'), makeKeyPair('ed25519').privateKey, { mode: 0o600 });
    const config = {
      probe: {
        interval: `${settings.periodSeconds}s`,
        timeout: `${settings.timeoutSeconds}s`,
        stale_after: `${settings.staleAfterSeconds}s`,
        exposure_interval: `${settings.periodSeconds * 6}s`,
      },
      ssh: { user: 'soak', port, identity_file: 'id_ed25519', known_hosts: 'known_hosts' },
      hosts: planFleet(settings).map(({ name, address }) => ({
        name,
        address,
        stack: 'soak',
        exposure: { public: true },
      })),
    };
    const configFile = join(folder, 'reboot-exporter.yml');
    writeFileSync(configFile, JSON.stringify(config));
    const nodeOptions = `NODE_OPTIONS=--heapsnapshot-signal=SIGUSR2 --diagnostic-dir=${folder}`;
    return { configFile, stateFile: join(folder, 'state.json'), under: ['env', nodeOptions] };
  }

  private async startExporter(options: ExporterProcessOptions): Promise<void> {
    const exporter = await ExporterProcess.start(options);
    this.life = { exporter, sinceMs: Date.now(), samples: [], snapshotMs: Infinity };
    this.lives.push(this.life);
  }

  /** Kills and starts it at random moments, and then takes two snapshots of the last one's heap. */
  private async killAndWatch(exporterOptions: ExporterProcessOptions): Promise<string[]> {
    const { options, random } = this;
    const { startMs, endMs } = this.settings;
    const untilMs = endMs - options.lastLifeSeconds * 1000;
    const moments = Array.from({ length: options.kills }, () => startMs + random.fraction() * (untilMs - startMs));
    for (const atMs of moments.sort((one, other) => one - other)) {
      await sleep(atMs - Date.now());
      await this.killExporter();
      if (options.injected.includes('forget')) rmSync(exporterOptions.stateFile, { force: true });
      await sleep(random.between(0, 3000));
      await this.startExporter(exporterOptions);
      options.say(`killed and started again, ${this.killsAtMs.length} of ${options.kills}; ${this.summary()}`);
    }
    const snapshots: string[] = [];
    const { life } = this;
    if (options.withSnapshots && life !== null) {
      options.say('the last exporter runs');
      await sleep(Math.max(0, endMs - options.betweenSnapshotsSeconds * 1000 - Date.now()));
      snapshots.push(await this.snapshot(life));
    }
    while (Date.now() < endMs) {
      await sleep(Math.min(60_000, Math.max(0, endMs - Date.now())));
      options.say(this.summary());
    }
    if (options.withSnapshots && life !== null) snapshots.push(await this.snapshot(life));
    return snapshots;
  }

  private async killExporter(): Promise<void> {
    const { life } = this;
    this.life = null;
    this.killsAtMs.push(Date.now());
    await life?.exporter.kill();
  }

  /** While its heap is written a process does nothing else: it is not asked meanwhile. */
  private async snapshot(life: Life): Promise<string> {
    this.life = null;
    life.snapshotMs = Math.min(life.snapshotMs, Date.now());
    const file = await takeSnapshot(life.exporter.pid, this.folder);
    this.life = life;
    return file;
  }

  private async scrapeAll(): Promise<void> {
    let lastMs = Date.now();
    while (!this.isOver) {
      const dueMs = performance.now() + this.options.scrapeEverySeconds * 1000;
      const { life } = this;
      // Whatever goes wrong in here is a fault: a soak that no longer looks must not end well.
      if (life !== null && life.sinceMs > lastMs) lastMs = Date.now();
      const silentSeconds = (Date.now() - lastMs) / 1000;
      if (life !== null) this.longestSilenceSeconds = Math.max(this.longestSilenceSeconds, silentSeconds);
      lastMs = Date.now();
      if (life !== null) await this.scrapeOnce(life).catch((error: unknown) => this.noteFailure(life, error));
      await sleep(Math.max(0, dueMs - performance.now()));
    }
  }

  private async scrapeOnce(life: Life): Promise<void> {
    const { pid } = life.exporter;
    const waited = processorWaitSecondsOf(pid);
    const used = processorSecondsOf(pid);
    const begunMs = Date.now();
    let text: string;
    try {
      text = await getText(`${life.exporter.url}/metrics`, scrapeLimitMs);
    } catch (error) {
      await sleep(50);
      if (this.life !== life || this.isOver) return;
      const waitedSeconds = processorWaitSecondsOf(pid) - waited;
      const usedSeconds = processorSecondsOf(pid) - used;
      const how = `no answer to a scrape; it used ${usedSeconds.toFixed(2)} s and waited ${waitedSeconds.toFixed(2)} s`;
      if (waitedSeconds > scrapeLimitMs / 2000) this.starved.push(`${this.elapsed()}: ${how}`);
      else this.faults.push(`${this.elapsed()}: ${how}: ${String(error)}`);
      return;
    }
    const endedMs = Date.now();
    this.scrapeMs.push(endedMs - begunMs);
    const views = viewsOf(parseExposition(text));
    this.judge.take({ begunMs, endedMs, exporterSinceMs: life.sinceMs, views });
    const own = views.get('');
    life.samples.push({
      atMs: endedMs,
      residentBytes: own?.value('process_resident_memory_bytes') ?? NaN,
      heapBytes: own?.value('nodejs_heap_size_used_bytes') ?? NaN,
      externalBytes: own?.value('nodejs_external_memory_bytes') ?? NaN,
    });
  }

  /** Killed while it was asked, or told to write its heap; one that is there has to answer. */
  private async noteFailure(life: Life, error: unknown): Promise<void> {
    await sleep(50);
    if (this.life === life && !this.isOver)
      this.faults.push(`${this.elapsed()}: the soak could not look: ${String(error)}`);
  }

  private judgeMemory(): MemoryCourse[] {
    const warmUpMs = this.options.warmUpSeconds * 1000;
    return this.lives.flatMap((life, at) => {
      const course = courseOf(life.samples, { sinceMs: life.sinceMs, warmUpMs, undisturbedUntilMs: life.snapshotMs });
      if (course === null) return [];
      // One that was warm for a shorter time than it took to become so is still on its way up.
      const growth = course.lifeSeconds < 2 * this.options.warmUpSeconds ? null : growthOf(course, growthTolerance);
      if (growth !== null) this.faults.push(`exporter ${at + 1}, ${course.lifeSeconds} s of life: ${growth}`);
      return [course];
    });
  }

  /**
   * What one exporter leaves behind the next has to read: the state file, and hosts that were unwell. That shows in its heap. The
   * pages that a process happens to hold beside it differ by half from start to start, with the same heap: they are told, not judged.
   */
  private judgeAcrossLives(): SoakResult['acrossLives'] {
    const heap = this.lives.flatMap((life) => this.leastWhenWarm(life, ({ heapBytes }) => heapBytes));
    const resident = this.lives.flatMap((life) => this.leastWhenWarm(life, ({ residentBytes }) => residentBytes));
    const [first, last] = [heap[0], heap.at(-1)];
    if (first !== undefined && last !== undefined) {
      const grown = (slopeOf(heap) * (last[0] - first[0])) / 1e6;
      if (grown > (first[1] / 1e6) * growthTolerance + 3)
        this.faults.push(`the heap of warm exporters grew by ${grown.toFixed(0)} MB from the first to the last`);
    }
    return { heapMegabytesPerHour: megabytesPerHour(heap), residentMegabytesPerHour: megabytesPerHour(resident) };
  }

  /** The least that a life held in the minute after it was warm, just after a collection; nothing if it did not live so long. */
  private leastWhenWarm(
    { samples, sinceMs, snapshotMs }: Life,
    bytesOf: (sample: MemorySample) => number,
  ): (readonly [number, number])[] {
    const warmUpMs = this.options.warmUpSeconds * 1000;
    const warm = samples.filter(
      ({ atMs }) => atMs < snapshotMs && atMs - sinceMs >= warmUpMs && atMs - sinceMs < warmUpMs + 60_000,
    );
    return warm.length < 8 ? [] : [[sinceMs, Math.min(...warm.map(bytesOf))]];
  }

  private compareHeaps([first = '', second = '']: string[]): SoakResult['heap'] {
    const { firstBytes, secondBytes, grown } = compareSnapshots(first, second);
    if (secondBytes > firstBytes * (1 + growthTolerance / 2) + 1e6)
      this.faults.push(`live objects grew from ${firstBytes} to ${secondBytes} bytes`);
    const minutesBetween = this.options.betweenSnapshotsSeconds / 60;
    const megabytes = (bytes: number): number => Math.round(bytes / 1e4) / 100;
    return {
      firstMegabytes: megabytes(firstBytes),
      secondMegabytes: megabytes(secondBytes),
      minutesBetween,
      grown: grown.slice(0, 15),
    };
  }

  private elapsed(): string {
    return `${((Date.now() - this.settings.startMs) / 1000).toFixed(1)} s`;
  }

  private summary(): string {
    const { tally } = this.judge;
    const sample = this.life?.samples.at(-1) ?? this.lives.at(-1)?.samples.at(-1);
    const resident = ((sample?.residentBytes ?? NaN) / 1e6).toFixed(0);
    const faults = this.faults.length + this.judge.faults.length;
    const first = [...this.faults, ...this.judge.faults].slice(-3).join('; ');
    return (
      `${this.elapsed()}: ${this.scrapeMs.length} scrapes, ${tally.judged} hosts judged, resident ${resident} MB, ` +
      `longest gap ${tally.longestGapSeconds.toFixed(0)} s, ${faults} faults ${first}, ${this.starved.length} starved`
    );
  }
}

/**
 * A plain request with a connection of its own and a timer of its own: of fetch in Node.js 20 a promise was seen that
 * never settled, neither with an answer nor with its signal, and then nobody looks any more.
 */
function getText(url: string, limitMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent: false }, (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.once('error', reject);
      response.once('end', () => resolve(Buffer.concat(pieces).toString()));
    });
    const timer = setTimeout(() => request.destroy(new Error(`no whole answer after ${limitMs} ms`)), limitMs);
    request.once('error', reject);
    request.once('close', () => {
      clearTimeout(timer);
      reject(new Error('closed before it had answered'));
    });
  });
}
