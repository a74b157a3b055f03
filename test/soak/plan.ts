import type { SimulatedHost } from '../../src/demo/simulated-host';
import { seededRandom, type SeededRandom } from '../e2e/seeded-random';
import { misbehaviours, type Misbehaviour } from './misbehaviour';

/** How large a soak is, and how fast. The fleet and its judge each work out the same plan from it. */
export interface SoakSettings {
  readonly seed: number;
  readonly hosts: number;
  readonly startMs: number;
  readonly endMs: number;
  /** `probe.interval`. Everything that happens to a host is paced by it. */
  readonly periodSeconds: number;
  readonly timeoutSeconds: number;
  readonly staleAfterSeconds: number;
  /** What the fleet does although the plan has it not, to see that the judge finds it. */
  readonly injected: readonly Injection[];
}

/** `value`: a host says that a restart is needed; `since`: since earlier than planned; `silence`: says nothing any more. */
export type Injection = 'value' | 'since' | 'silence';

/** What is true of a host from a moment on. */
export interface Segment {
  readonly fromMs: number;
  /** The moment at which the next begins. */
  readonly toMs: number;
  /** Whether it is there: it is not, for a moment, while it restarts. */
  readonly isUp: boolean;
  /** Which boot it is in, counted from 0. */
  readonly boot: number;
  /** Which need of a restart it is that it has, counted over all boots; null: it needs none. */
  readonly need: number | null;
  /** The times, on the host's clock, since when a restart may be said to be needed. */
  readonly since: readonly number[];
  readonly host: SimulatedHost;
}

/** A stretch in which a host misbehaves. */
export interface Phase {
  readonly fromMs: number;
  readonly toMs: number;
  readonly misbehaviour: Misbehaviour;
}

/**
 * What a host can tell of its flag: when it was first written, or only when it was written last, or, as BusyBox
 * without `stat`, nothing at all, so that the exporter has to remember when it saw it first.
 */
export type FlagTimes = 'birth' | 'modified' | 'none';

/** What happens to one host from the beginning of a soak to its end. */
export interface HostPlan {
  readonly name: string;
  readonly address: string;
  readonly flagTimes: FlagTimes;
  /** By how much its clock is off, in seconds. */
  readonly skewSeconds: number;
  readonly segments: readonly Segment[];
  readonly phases: readonly Phase[];
}

const day = 86_400;

/** The fleet's plans. The same for the same settings, in whichever process. */
export function planFleet(settings: SoakSettings): HostPlan[] {
  return Array.from({ length: settings.hosts }, (_, at) => planHost(at, settings));
}

function planHost(at: number, settings: SoakSettings): HostPlan {
  const random = seededRandom(settings.seed + at * 7919);
  const flagTimes = random.oneOf(['birth', 'birth', 'modified', 'none'] as const);
  const skewSeconds = random.oneOf([0, 0, 0, 0, 0, 0, 3600, -7200, 31 * day, -400 * day]);
  return {
    name: `host-${at}`,
    // Each host has an address of its own, and all the same port: nothing else can take it while the host is down.
    address: `127.1.${at >> 8}.${at & 255}`,
    flagTimes,
    skewSeconds,
    segments: new Story(at, settings, random, flagTimes, skewSeconds).tell(),
    phases: planPhases(settings, random),
  };
}

/** A fifth of the time, for one stretch of four on the mean, a host misbehaves. */
function planPhases({ startMs, endMs, periodSeconds }: SoakSettings, random: SeededRandom): Phase[] {
  const periods = (from: number, to: number): number => (from + random.fraction() * (to - from)) * periodSeconds * 1000;
  const phases: Phase[] = [];
  let atMs = startMs - periods(0, 15);
  while (atMs < endMs) {
    const fromMs = atMs + periods(6, 18);
    const toMs = fromMs + periods(1.5, 4.5);
    if (toMs > startMs) phases.push({ fromMs, toMs, misbehaviour: random.oneOf(misbehaviours) });
    atMs = toMs;
  }
  return phases;
}

/** Makes up what happens to a host: patches arrive, flags are rewritten, it restarts, ports are opened and closed. */
class Story {
  private readonly segments: Segment[] = [];
  private boot = 0;
  private need = 0;
  private atMs: number;

  constructor(
    private readonly index: number,
    private readonly settings: SoakSettings,
    private readonly random: SeededRandom,
    private readonly flagTimes: FlagTimes,
    private readonly skewSeconds: number,
  ) {
    this.atMs = settings.startMs - 10_000;
  }

  tell(): Segment[] {
    const startSeconds = this.hostSeconds(this.settings.startMs);
    let now = this.begin({
      fromMs: this.atMs,
      isUp: true,
      need: null,
      since: [],
      host: this.firstHost(startSeconds - this.random.between(1, 40) * day),
    });
    if (this.random.fraction() < 0.4) now = this.raise(now, startSeconds - this.random.between(3600, day - 3600));
    while (this.atMs < this.settings.endMs) {
      this.wait(4, 16);
      now = this.next(now);
    }
    this.close(Infinity);
    return this.segments;
  }

  private next(now: Segment): Segment {
    const { random } = this;
    const choice = random.fraction();
    if (choice < 0.12) return this.togglePort(now);
    if (now.need === null) {
      return choice < 0.3 ? this.restart(now) : this.raise(now, this.hostSeconds(this.atMs));
    }
    if (choice < 0.3) return this.rewrite(now);
    return choice < 0.4 ? this.clear(now) : this.restart(now);
  }

  private firstHost(bootedAt: number): SimulatedHost {
    const { random, index } = this;
    return {
      name: `host-${index}`,
      os: 'ubuntu',
      bootId: this.bootId(),
      bootedAt,
      flag: null,
      kernel: {
        running: `6.8.0-${40 + (index % 20)}-generic`,
        installed: [{ release: `6.8.0-${40 + (index % 20)}-generic`, at: bootedAt - day }],
      },
      libcUnpackedAt: bootedAt - 2 * day,
      unattendedUpgrades: 'on',
      unattendedUpgradesRanAt: bootedAt,
      network: {
        address: `198.18.${index >> 8}.${index & 255}`,
        listening: [22, 80, 443],
        open: random.oneOf([[80, 443], [443], []]),
        readable: true,
      },
    };
  }

  /** The flag appears, for a package that is this host's alone; where flags have times of birth, for a kernel too at times. */
  private raise(now: Segment, atSeconds: number): Segment {
    const packages = [`only-on-host-${this.index}`, ...(this.random.fraction() < 0.5 ? ['linux-base'] : [])];
    const withKernel = this.flagTimes === 'birth' && this.random.fraction() < 0.4;
    const { kernel } = now.host;
    const newest = Number(kernel.installed.at(-1)?.release.split('-')[1]) + 1;
    const installed = [...kernel.installed, { release: `6.8.0-${newest}-generic`, at: atSeconds }].slice(-3);
    this.need += 1;
    return this.begin({
      ...now,
      need: this.need,
      since: [atSeconds],
      host: {
        ...now.host,
        flag: { bornAt: this.flagTimes === 'birth' ? atSeconds : 0, modifiedAt: atSeconds, packages },
        kernel: withKernel ? { ...kernel, installed } : kernel,
      },
    });
  }

  /** Another package asks: the flag's last writing moves, the need began when it did. */
  private rewrite(now: Segment): Segment {
    const { flag } = now.host;
    if (flag === null) return now;
    const modifiedAt = this.hostSeconds(this.atMs);
    const packages = [...new Set([...flag.packages, 'dbus'])];
    return this.begin({
      ...now,
      since: this.flagTimes === 'modified' ? [...now.since, modifiedAt] : now.since,
      host: { ...now.host, flag: { ...flag, modifiedAt, packages } },
    });
  }

  /** Somebody removes what was installed, and the flag. */
  private clear(now: Segment): Segment {
    const { kernel } = now.host;
    const installed = kernel.installed.filter(({ release }) => release === kernel.running);
    return this.begin({
      ...now,
      need: null,
      since: [],
      host: { ...now.host, flag: null, kernel: { ...kernel, installed } },
    });
  }

  private togglePort(now: Segment): Segment {
    const { network } = now.host;
    const before = network.open ?? [];
    const open = before.includes(8443) ? before.filter((port) => port !== 8443) : [...before, 8443];
    const listening = network.listening.includes(8443) ? network.listening : [...network.listening, 8443];
    return this.begin({ ...now, host: { ...now.host, network: { ...network, open, listening } } });
  }

  /** It goes away for a moment, and comes back in another boot, with the newest kernel and without the flag. */
  private restart(now: Segment): Segment {
    this.begin({ ...now, isUp: false });
    this.wait(0.1, 0.5);
    this.boot += 1;
    const { kernel } = now.host;
    const running = kernel.installed.at(-1)?.release ?? kernel.running;
    const host = {
      ...now.host,
      bootId: this.bootId(),
      bootedAt: this.hostSeconds(this.atMs),
      flag: null,
      kernel: { ...kernel, running },
    };
    return this.begin({ fromMs: this.atMs, isUp: true, need: null, since: [], host });
  }

  private begin(segment: Omit<Segment, 'toMs' | 'boot'>): Segment {
    this.close(this.atMs);
    const begun = { ...segment, boot: this.boot, fromMs: this.atMs, toMs: Infinity };
    this.segments.push(begun);
    return begun;
  }

  private close(toMs: number): void {
    const last = this.segments.pop();
    // Two that begin at the same moment are one: the first was not seen by anybody.
    if (last !== undefined && last.fromMs < toMs) this.segments.push({ ...last, toMs });
  }

  private wait(fromPeriods: number, toPeriods: number): void {
    const periods = fromPeriods + this.random.fraction() * (toPeriods - fromPeriods);
    this.atMs += Math.ceil(periods * this.settings.periodSeconds) * 1000;
  }

  /** Files and boots have times of whole seconds, on a clock that may be off. */
  private hostSeconds(atMs: number): number {
    return Math.floor(atMs / 1000) + this.skewSeconds;
  }

  private bootId(): string {
    const digits = (count: number): string =>
      Array.from({ length: count }, () => this.random.between(0, 15).toString(16)).join('');
    return `${digits(8)}-${digits(4)}-4${digits(3)}-8${digits(3)}-${digits(12)}`;
  }
}

/** What is true of a host at a moment. */
export function segmentAt(plan: HostPlan, atMs: number): Segment {
  const found = plan.segments.find(({ fromMs, toMs }) => fromMs <= atMs && atMs < toMs) ?? plan.segments[0];
  if (found === undefined) throw new Error(`${plan.name} has no plan`);
  return found;
}

/** How a host misbehaves at a moment; undefined: it does not. */
export function phaseAt(plan: HostPlan, atMs: number): Phase | undefined {
  return plan.phases.find(({ fromMs, toMs }) => fromMs <= atMs && atMs < toMs);
}
