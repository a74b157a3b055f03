import type { LabHost } from '../lab/host';
import type { SystemName } from '../lab/system';
import { kernelOf } from './model-kernel';
import type { SeededRandom } from './seeded-random';

/** When something happened, as far as a test can know: in unix seconds, both ends included. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** What the exporter has to publish of a host that it can read. */
export interface ExpectedState {
  readonly required: boolean;
  readonly since: Span | null;
  readonly reasons: readonly string[];
  readonly packages: readonly string[];
  readonly survivedRestart: boolean;
}

/** Files and packages that ask for a restart within this many seconds after the boot can't be told from older ones. */
const bootSlackSeconds = 8;

/** How long a probe may take, on a busy machine, from reading the clock to looking for the flag. */
const mostBetweenSeconds = 2;

interface ModelFlag {
  readonly born: Span;
  readonly written: Span;
  readonly packages: ReadonlySet<string>;
  /** It outlived the restart that it asked for, and was not asked for again. */
  readonly isStale: boolean;
  /** The list of packages did. */
  readonly isListStale: boolean;
}

/** A lab host, with what the test has done to it and what follows from that. */
export class ModelHost {
  readonly name: string;
  readonly isContainer: boolean;
  /** Boots so far, the newest last. */
  readonly boots: Span[] = [];
  readonly packagesEver = new Set<string>();
  away: 'drop' | 'reset' | 'off' | null = null;

  private flag: ModelFlag | null = null;
  private readonly unpacked = new Map<string, Span>();
  private kernelsInstalled = 0;
  private kernelRunning = 0;
  /** What the exporter saw last, and remembers. */
  private seen: { readonly boots: number; readonly state: ExpectedState } | null = null;

  constructor(readonly host: LabHost) {
    this.name = host.name;
    this.isContainer = host.spec.container !== undefined;
  }

  get system(): SystemName {
    return this.host.spec.system ?? 'ubuntu-24.04';
  }

  get exposed(): boolean {
    return this.host.spec.exposure === 'exposed';
  }

  /** What has to be published once the host as it is now has been read. */
  expected(): ExpectedState {
    const boot = this.boot();
    const reasons: string[] = [];
    const packages = new Set<string>();
    const times: Span[] = [];
    if (this.flag !== null && !this.flag.isStale) {
      reasons.push('flag');
      times.push(this.flag.born);
      for (const name of this.flag.isListStale ? [] : this.flag.packages) {
        packages.add(name);
        const at = this.unpacked.get(name);
        if (at !== undefined && at.from > boot.to) times.push(at);
      }
    }
    if (!this.isContainer && this.kernelsInstalled > this.kernelRunning) {
      reasons.push('kernel');
      packages.add(this.kernelPackage(this.kernelsInstalled));
      for (let n = this.kernelRunning + 1; n <= this.kernelsInstalled; n++) {
        const at = this.unpacked.get(this.kernelPackage(n));
        if (at !== undefined) times.push(at.from > boot.to ? at : boot);
      }
    }
    const libc = this.unpacked.get('libc6');
    if (libc !== undefined && libc.from > boot.to) {
      reasons.push('library');
      packages.add('libc6');
      times.push(libc);
    }
    const before = this.seen;
    const sameBoot = before?.boots === this.boots.length;
    if (sameBoot && before.state.since !== null && reasons.length > 0) times.push(before.state.since);
    const required = reasons.length > 0;
    return {
      required,
      since: required ? times.reduce((a, b) => (b.from < a.from ? b : a)) : null,
      reasons: reasons.sort(),
      packages: [...packages].sort(),
      survivedRestart:
        required && before !== null && (sameBoot ? before.state.survivedRestart : before.state.since !== null),
    };
  }

  /** The exporter has read the host as it is now. */
  noteSeen(): void {
    this.seen = { boots: this.boots.length, state: this.expected() };
  }

  /** What the exporter saw last, whatever has become of the host since; null when it never did. */
  get lastSeen(): ExpectedState | null {
    return this.seen?.state ?? null;
  }

  /** The boot that was seen last; the first where none was. */
  get bootLastSeen(): Span {
    return this.boots[(this.seen?.boots ?? 1) - 1] ?? this.boot();
  }

  /** Reads when the host booted, and forgets what a boot ends. */
  async noteBoot(): Promise<void> {
    const atSeconds = await this.host.bootTimeSeconds();
    const now = Date.now() / 1000;
    // A container's boot is the start of its first process.
    this.boots.push(this.isContainer ? { from: now - 10, to: now } : { from: atSeconds, to: atSeconds });
    const persists = this.host.spec.runPersists === true;
    this.flag = this.flag !== null && persists ? { ...this.flag, isStale: true, isListStale: true } : null;
  }

  raise(packages: readonly string[]): void {
    const at = spanOf(() =>
      packages.length === 0 ? this.host.setFlag([], { touchOnly: true }) : this.host.setFlag(packages),
    );
    const before = this.flag;
    this.flag = {
      // Rewriting keeps the birth; a flag that outlived a restart counts from its first request in this boot.
      born: before === null || before.isStale ? this.firstSight(at, before !== null) : before.born,
      written: at,
      packages: new Set([...(before?.packages ?? []), ...packages]),
      isStale: false,
      // Who appends to an old list makes it new, with all that is in it.
      isListStale: before !== null && before.isListStale && packages.length === 0,
    };
    for (const name of packages) this.packagesEver.add(name);
  }

  clear(): void {
    this.host.clearFlag();
    this.flag = null;
  }

  /** Unpacks a package, at a time in this boot that is the host's own where it has run for long enough. */
  install(name: string, random: SeededRandom): void {
    const at = this.timeInBoot(random);
    this.host.installPackage({
      name,
      version: `9.${Math.floor(at)}`,
      installedAt: new Date(at * 1000),
      multiArchSame: name === 'libc6',
    });
    this.unpacked.set(name, unpackedSpan(at));
    this.packagesEver.add(name);
  }

  installKernel(random: SeededRandom): void {
    const at = this.timeInBoot(random);
    this.kernelsInstalled++;
    const { release, packageVersion } = kernelOf(this.system, this.kernelsInstalled);
    this.host.installKernel(release, packageVersion, new Date(at * 1000));
    this.unpacked.set(this.kernelPackage(this.kernelsInstalled), unpackedSpan(at));
    this.packagesEver.add(this.kernelPackage(this.kernelsInstalled));
  }

  /** Whether enough of this boot has passed for something to be newer than it. */
  get isSettled(): boolean {
    const quiet = Date.now() / 1000 - bootSlackSeconds;
    return this.boot().to < quiet && (this.flag === null || this.flag.written.to < quiet);
  }

  async goOff(): Promise<void> {
    await this.host.stop();
  }

  /** Boots, into the newest kernel or into the one that ran before. */
  async comeUp(newestKernel: boolean): Promise<void> {
    if (newestKernel) this.kernelRunning = this.kernelsInstalled;
    const { release, version } = kernelOf(this.system, this.kernelRunning);
    await this.host.start(this.kernelRunning === 0 ? {} : { kernel: { release, version } });
    await this.noteBoot();
  }

  /**
   * Where no birth time of this boot is known, the first sight counts as well: that is when the probe read the host's
   * clock, which it does before it looks for the flag.
   */
  private firstSight(at: Span, isOldFile: boolean): Span {
    const hasBirthTime = this.host.spec.birthTimes !== false && this.host.spec.sh !== 'busybox' && !isOldFile;
    return hasBirthTime ? at : { from: at.from - mostBetweenSeconds, to: at.to };
  }

  private boot(): Span {
    return this.boots.at(-1) ?? { from: NaN, to: NaN };
  }

  private timeInBoot(random: SeededRandom): number {
    const now = Math.floor(Date.now() / 1000);
    const earliest = Math.ceil(this.boot().to) + bootSlackSeconds;
    return now - earliest > 3600 ? random.between(earliest, now - 1800) : now;
  }

  private kernelPackage(n: number): string {
    return `linux-image-${kernelOf(this.system, n).release}`;
  }
}

/** What is unpacked now may be seen by a probe that read the host's clock, maybe in whole seconds, a little before. */
function unpackedSpan(at: number): Span {
  const isNow = Date.now() / 1000 - at < 60;
  return { from: Math.floor(at) - (isNow ? mostBetweenSeconds : 0), to: Math.floor(at) };
}

function spanOf(work: () => void): Span {
  // File times are those of the last tick of the kernel's clock, a hundredth of a second at most before now.
  const from = Math.floor(Date.now() / 1000 - 0.02);
  work();
  return { from, to: Math.floor(Date.now() / 1000) };
}
