import { setTimeout as sleep } from 'node:timers/promises';
import type { Lab } from '../lab/lab';
import { AgeWatch, type Sightings } from './age-watch';
import { compareSpan, compareState, isIn } from './compare-host';
import { ExporterProcess, type ExporterProcessOptions } from './exporter-process';
import type { ModelHost, Span } from './model-host';
import { scrape, type Scrape } from './scrape';
import type { SeededRandom } from './seeded-random';
import { until } from './until';

const settleLimitSeconds = 90;
/** Also on a busy machine a probe is done within this time; a silent host is found out no sooner. */
export const probeTimeoutSeconds = 4;
const mostAway = 6;

/** Why a host that is away may fail. One that is off is silent at first; then the router says that it is unreachable. */
const awayReasons = { drop: ['timeout'], reset: ['connect'], off: ['timeout', 'connect'] } as const;

/** A change of a host, and its name. */
type Change = readonly [string, () => Promise<void> | void];

/** A fleet that is changed at random, and the exporter that watches it. */
export class FleetRun {
  readonly watch = new AgeWatch(probeTimeoutSeconds);
  kills = 0;
  /** What was done to which host in this round. */
  readonly changes: string[] = [];
  private exporter: ExporterProcess | null = null;
  /** Hosts that the exporter that runs now has read: the restarts that it saw, and in which boot it read the host last. */
  private readonly read = new Map<string, { readonly restarts: number; readonly boots: number }>();
  private killedInRound = false;
  private roundStartMs = Date.now();
  private readonly bootsAtRoundStart = new Map<string, number>();

  constructor(
    readonly lab: Lab,
    readonly hosts: readonly ModelHost[],
    private readonly random: SeededRandom,
    private readonly options: ExporterProcessOptions,
  ) {}

  get url(): string {
    return this.exporter?.url ?? '';
  }

  async startExporter(): Promise<void> {
    this.exporter = await ExporterProcess.start(this.options);
    this.watch.attach(this.exporter.url);
    this.read.clear();
  }

  async stop(): Promise<void> {
    await this.watch.stop();
    await this.exporter?.kill();
  }

  /** Changes some hosts at random, and kills the exporter now and then. Resolves when the exporter is there again. */
  async change(kills: boolean): Promise<void> {
    this.killedInRound = kills;
    this.roundStartMs = Date.now();
    this.changes.length = 0;
    for (const host of this.hosts) this.bootsAtRoundStart.set(host.name, host.boots.length);
    const killing = kills ? this.killAtRandom() : Promise.resolve();
    for (const host of this.random.some(this.hosts, this.random.between(10, 20))) await this.changeHost(host);
    await killing;
  }

  /** Waits until the exporter has dealt with every host since now, and holds every value against the model. */
  async settle(): Promise<string[]> {
    const fromMs = Date.now();
    const metrics = await until(settleLimitSeconds, async () => {
      const scraped = await scrape(`${this.url}/metrics`);
      for (const host of this.hosts) this.requireDealtWith(scraped, host, fromMs);
      return scraped;
    });
    const faults = this.hosts.flatMap((host) => this.compare(metrics, host));
    const seen = await this.watch.endRound();
    for (const host of this.hosts) faults.push(...this.compareSightings(host, seen.get(host.name)));
    for (const host of this.hosts) if (host.away === null) host.noteSeen();
    return faults;
  }

  private async killAtRandom(): Promise<void> {
    const times = this.random.oneOf([1, 1, 2]);
    for (let turn = 0; turn < times; turn++) {
      await sleep(this.random.between(0, 2500));
      this.watch.attach(null);
      await this.exporter?.kill();
      this.kills++;
      await this.startExporter();
    }
  }

  private async changeHost(host: ModelHost): Promise<void> {
    const before = host.lastSeen;
    // The exporter may have seen a change before the lab is done with it.
    this.watch.allowDrop(host.name);
    const [what, change] = this.pick(host);
    this.changes.push(`${host.name}: ${what}`);
    await change();
    const { since } = host.expected();
    const beginsAnew = before?.since != null && (since === null || since.from > before.since.to);
    if (!beginsAnew) this.watch.forbidDrop(host.name);
  }

  private pick(host: ModelHost): Change {
    const { random } = this;
    if (host.away !== null) return [`back from ${host.away}`, () => this.bringBack(host)];
    const own = `only-on-${host.name}`;
    const rewrite: Change = ['rewrite', () => host.raise(random.oneOf([[], ['dbus'], ['libc6', 'libc6'], [own]]))];
    const clear: Change = ['clear', () => host.clear()];
    const install = (): void => {
      host.install(own, random);
      host.raise([own, 'linux-base']);
    };
    const changes: Change[] = [['raise', () => host.raise(['dbus', own])], rewrite, rewrite, clear, clear];
    if (host.isSettled) {
      if (!host.isContainer) changes.push(['kernel', () => host.installKernel(random)]);
      const restart: Change = ['restart', () => this.restart(host)];
      changes.push(['install', install], ['libc6', () => host.install('libc6', random)], restart, restart);
    }
    const away = this.hosts.filter((each) => each.away !== null).length;
    if (away < mostAway) changes.push(['away', () => this.takeAway(host)]);
    return random.oneOf(changes);
  }

  private async restart(host: ModelHost): Promise<void> {
    await host.goOff();
    if (this.random.fraction() < 0.5) await sleep(this.random.between(50, 600));
    await host.comeUp(this.random.fraction() < 0.7);
  }

  private async takeAway(host: ModelHost): Promise<void> {
    const how = this.random.oneOf(host.isSettled ? (['drop', 'reset', 'off'] as const) : (['drop', 'reset'] as const));
    if (how === 'off') await host.goOff();
    else await host.host.partition(how);
    host.away = how;
  }

  private async bringBack(host: ModelHost): Promise<void> {
    if (host.away === 'off') await host.comeUp(this.random.fraction() < 0.7);
    else await host.host.heal();
    host.away = null;
  }

  /** @throws Error while the exporter has not yet asked the host in vain, or read it, since then. */
  private requireDealtWith(metrics: Scrape, { name, away }: ModelHost, fromMs: number): void {
    const success = metrics.value('reboot_probe_success', { host: name });
    if (away !== null) {
      const [reason = ''] = metrics.labelValues('reboot_probe_failing_reason_info', 'reason', { host: name });
      const wanted: readonly string[] = awayReasons[away];
      if (success !== 0 || !wanted.includes(reason)) throw new Error(`${name} is away (${away}), fails as ${reason}`);
      return;
    }
    const at = metrics.value('reboot_probe_last_success_timestamp_seconds', { host: name }) ?? 0;
    const took = metrics.value('reboot_probe_duration_seconds', { host: name }) ?? 0;
    if (success !== 1 || (at - took) * 1000 < fromMs) throw new Error(`${name} has not been read since then`);
  }

  private compare(metrics: Scrape, model: ModelHost): string[] {
    const { name } = model;
    const hasValues = metrics.value('reboot_required_unknown', { host: name }) !== undefined;
    const mayBeEither = model.away !== null && this.killedInRound && model.lastSeen !== null;
    if (model.away !== null && !hasValues && (mayBeEither || !this.read.has(name))) {
      this.read.delete(name);
      const left = metrics.linesOf(name, (metric) => /^reboot_required|^exposed|_info$|boot_timestamp/.test(metric));
      return left
        .filter((line) => !line.startsWith('reboot_probe_'))
        .map((line) => `${name} was never read, and yet: ${line}`);
    }
    if (!hasValues) return [`${name}: no values`];
    if (model.away !== null && !this.read.has(name) && !mayBeEither)
      return [`${name}: values of a host that was never read`];
    const state = model.away === null ? model.expected() : model.lastSeen;
    if (state === null) return [`${name}: values of a host that was never read`];
    return [
      ...compareState(metrics, model, state),
      ...compareSpan(
        name,
        'boot time',
        metrics.value('reboot_host_boot_timestamp_seconds', { host: name }),
        this.bootOf(model),
      ),
      ...this.compareBootsSeen(metrics, model),
    ];
  }

  private bootOf(model: ModelHost): Span | undefined {
    return model.away === null ? model.boots.at(-1) : model.bootLastSeen;
  }

  private compareBootsSeen(metrics: Scrape, { name, away, boots }: ModelHost): string[] {
    const seen = metrics.value('reboot_host_boots_seen_total', { host: name }) ?? NaN;
    const before = this.read.get(name);
    const wanted = [before?.restarts ?? 0];
    if (before !== undefined && away === null && boots.length > before.boots) wanted[0] = before.restarts + 1;
    // An exporter that was started in this round may have read the host before its restart, or only after it.
    if (this.killedInRound && boots.length > (this.bootsAtRoundStart.get(name) ?? 0)) wanted.push(1);
    this.read.set(name, { restarts: seen, boots: away === null ? boots.length : (before?.boots ?? boots.length) });
    return wanted.includes(seen) ? [] : [`${name}: ${seen} restarts seen, not ${wanted.join(' or ')}`];
  }

  /** In between only what was before or is now may be seen, or a change that is half done. */
  private compareSightings(model: ModelHost, seen: Sightings | undefined): string[] {
    if (seen === undefined) return [];
    const before = model.lastSeen;
    const now = model.away === null ? model.expected() : before;
    const faults: string[] = [];
    for (const boot of seen.boots) {
      if (!model.boots.some((span) => isIn(boot, span)))
        faults.push(`${model.name}: booted at ${boot}, which it never did`);
    }
    for (const name of seen.packages) {
      if (!model.packagesEver.has(name)) faults.push(`${model.name}: the package ${name} was never its own`);
    }
    const roundStart = this.roundStartMs / 1000 - 1;
    for (const since of seen.sinces) {
      const known = [before?.since, now?.since].some((span) => span != null && isIn(since, span));
      if (!known && since < roundStart) faults.push(`${model.name}: needed since ${since}, which it never was`);
    }
    return faults;
  }
}
