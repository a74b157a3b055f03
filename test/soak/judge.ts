import type { HostView } from './host-view';
import { phaseAt, segmentAt, type HostPlan, type Phase, type Segment, type SoakSettings } from './plan';

/** What is counted over a soak. */
export interface Tally {
  /** Scrapes times hosts of which every value was held against the plan. */
  judged: number;
  /** Those that were not, since the host had lied about itself. */
  liars: number;
  /** Those of hosts that had no value then, and might have none. */
  absent: number;
  /** Longest that a good host's last success was ago, or that it had none, in seconds. */
  longestGapSeconds: number;
  /** By how many seconds an age was at most behind the host's clock. */
  mostBehindSeconds: number;
  /** How long a host took at most to be read once it behaved again, in seconds. */
  longestHealSeconds: number;
  readonly kinds: Map<string, KindTally>;
}

export interface KindTally {
  /** Stretches of it that began while the soak ran. */
  phases: number;
  /** Those of which the reason was held against what it should be, and was right each time. */
  rightReason: number;
  healed: number;
  longestHealSeconds: number;
}

/** One scrape, taken apart. */
export interface SoakScrape {
  readonly begunMs: number;
  readonly endedMs: number;
  /** When the exporter that answered had started. */
  readonly exporterSinceMs: number;
  readonly views: ReadonlyMap<string, HostView>;
}

interface Memory {
  readonly boot: number;
  readonly need: number;
  readonly since: number;
  readonly age: number;
}

/** No host may have more series than this, whatever it says. */
const maxSeries = 400;
/** Clocks of one machine, read in two processes, rounded to milliseconds. */
const roundingMs = 100;
/** A host may tell whole seconds. */
const resolutionSeconds = 1.1;

/** Holds every value of every host at every scrape against the plan, and against what was said before. */
export class Judge {
  readonly faults: string[] = [];
  readonly tally: Tally = {
    judged: 0,
    liars: 0,
    absent: 0,
    longestGapSeconds: 0,
    mostBehindSeconds: 0,
    longestHealSeconds: 0,
    kinds: new Map(),
  };
  private readonly memories = new Map<string, Memory>();
  /** Phases that were seen with the right reason, and those that have been read since. */
  private readonly rightOnce = new Set<Phase>();
  private readonly healed = new Set<Phase>();
  private readonly boundMs: number;

  constructor(
    private readonly settings: SoakSettings,
    private readonly plans: readonly HostPlan[],
    slackSeconds: number,
  ) {
    // A probe is begun once a period, or tried again sooner, and may take until its deadline.
    this.boundMs = (settings.periodSeconds + settings.timeoutSeconds + slackSeconds) * 1000;
  }

  take(scrape: SoakScrape): void {
    const names = new Set(this.plans.map(({ name }) => name));
    for (const name of scrape.views.keys()) {
      if (name !== '' && !names.has(name)) this.fault(scrape, name, 'there is no such host');
    }
    for (const plan of this.plans) {
      const view = scrape.views.get(plan.name);
      if (view === undefined) this.fault(scrape, plan.name, 'has no series at all');
      else this.judge(scrape, plan, view);
    }
  }

  /** What was tried and what came of it, once the soak is over. */
  finish(): Tally {
    for (const plan of this.plans) {
      for (const phase of plan.phases) {
        if (phase.fromMs < this.settings.startMs || phase.toMs > this.settings.endMs) continue;
        const kind = this.kind(phase);
        kind.phases += 1;
        if (this.rightOnce.has(phase)) kind.rightReason += 1;
      }
    }
    return this.tally;
  }

  private judge(scrape: SoakScrape, plan: HostPlan, view: HostView): void {
    const lastSuccess = view.value('reboot_probe_last_success_timestamp_seconds');
    const lastMs = lastSuccess === undefined ? null : lastSuccess * 1000;
    if (view.seriesCount > maxSeries) this.fault(scrape, plan.name, `has ${view.seriesCount} series`);
    this.judgeFreshness(scrape, plan, view, lastMs);
    this.judgeReason(scrape, plan, view);
    const hasState = view.value('reboot_required_unknown') !== undefined;
    this.judgePresence(scrape, plan, hasState, lastMs);
    if (!hasState || lastMs === null) {
      this.tally.absent += 1;
      return;
    }
    const isLast = view.value('reboot_probe_success') === 1;
    const took = isLast ? (view.value('reboot_probe_duration_seconds') ?? 0) : this.settings.timeoutSeconds;
    const fromMs = lastMs - took * 1000 - roundingMs;
    if (plan.phases.some((phase) => phase.misbehaviour.lies === true && overlaps(phase, fromMs, lastMs))) {
      this.tally.liars += 1;
      return;
    }
    this.tally.judged += 1;
    // Where a misbehaving answer came before one that was good, the exposure may be unknown until the next probe.
    const isUnknownAllowed = plan.phases.some(
      (phase) => phase.misbehaviour.reasons.includes('output') && overlaps(phase, fromMs, lastMs),
    );
    const truths = plan.segments.filter((each) => each.isUp && overlaps(each, fromMs, lastMs));
    this.judgeValues(scrape, plan, view, { truths, isUnknownAllowed });
  }

  /** A good host is read once a period, and its last probe was a success. */
  private judgeFreshness(scrape: SoakScrape, plan: HostPlan, view: HostView, lastMs: number | null): void {
    const goodSinceMs = goodSince(plan, scrape.begunMs);
    this.noteHealing(plan, lastMs, scrape);
    if (goodSinceMs === null) return;
    const sinceMs = Math.max(goodSinceMs, scrape.exporterSinceMs);
    const gapMs = scrape.begunMs - Math.max(sinceMs, lastMs ?? 0);
    this.tally.longestGapSeconds = Math.max(this.tally.longestGapSeconds, gapMs / 1000);
    if (gapMs > this.boundMs) this.fault(scrape, plan.name, `is good, and was not read for ${gapMs / 1000} s`);
    else if (scrape.begunMs - sinceMs > this.boundMs && view.value('reboot_probe_success') !== 1) {
      const reason = view.words('reboot_probe_failing_reason_info', 'reason');
      this.fault(scrape, plan.name, `is good, and its last probe failed (${reason})`);
    }
  }

  private noteHealing(plan: HostPlan, lastMs: number | null, scrape: SoakScrape): void {
    if (lastMs === null) return;
    const phase = plan.phases.findLast(({ toMs }) => toMs < lastMs);
    if (phase === undefined || this.healed.has(phase)) return;
    this.healed.add(phase);
    // Where the exporter was killed or the host restarted meanwhile, that took the time.
    if (scrape.exporterSinceMs > phase.toMs || goodSince(plan, lastMs) !== phase.toMs) return;
    const seconds = (lastMs - phase.toMs) / 1000;
    const kind = this.kind(phase);
    kind.healed += 1;
    kind.longestHealSeconds = Math.max(kind.longestHealSeconds, seconds);
    this.tally.longestHealSeconds = Math.max(this.tally.longestHealSeconds, seconds);
  }

  /** Once it has misbehaved for as long as a probe may take to come, it fails, for the reason that fits, or succeeds. */
  private judgeReason(scrape: SoakScrape, plan: HostPlan, view: HostView): void {
    const phase = phaseAt(plan, scrape.begunMs);
    if (phase === undefined || phaseAt(plan, scrape.endedMs) !== phase) return;
    const upSinceMs = segmentAt(plan, scrape.begunMs).isUp ? lastRestart(plan, scrape.begunMs) : Infinity;
    const sinceMs = Math.max(phase.fromMs, scrape.exporterSinceMs, upSinceMs);
    if (scrape.begunMs - sinceMs < this.boundMs) return;
    const { name, reasons } = phase.misbehaviour;
    const reason = view.words('reboot_probe_failing_reason_info', 'reason');
    const isRight = reasons.length === 0 ? reason === '' : reasons.some((each) => each === reason);
    if (isRight) this.rightOnce.add(phase);
    else this.fault(scrape, plan.name, `misbehaves (${name}), and fails for the reason "${reason}"`);
  }

  private judgePresence(scrape: SoakScrape, plan: HostPlan, hasState: boolean, lastMs: number | null): void {
    const staleMs = this.settings.staleAfterSeconds * 1000;
    if (lastMs === null) {
      if (hasState) this.fault(scrape, plan.name, 'has values, and was never read');
      return;
    }
    if (hasState && scrape.begunMs - lastMs > staleMs + 1000)
      this.fault(scrape, plan.name, 'has values beyond stale_after');
    if (!hasState && scrape.endedMs - lastMs < staleMs - 1000)
      this.fault(scrape, plan.name, 'has no values, and was read within stale_after');
  }

  private judgeValues(
    scrape: SoakScrape,
    plan: HostPlan,
    view: HostView,
    { truths, isUnknownAllowed }: { truths: readonly Segment[]; isUnknownAllowed: boolean },
  ): void {
    const differences = truths.map((truth) => ({ truth, wrong: compare(view, truth, isUnknownAllowed) }));
    const right = differences.find(({ wrong }) => wrong.length === 0)?.truth;
    if (right === undefined) {
      const nearest = differences.sort((one, other) => one.wrong.length - other.wrong.length)[0];
      const what = nearest?.wrong.join(', ') ?? 'it was read while it was down';
      this.fault(scrape, plan.name, `is wrong: ${what}`);
    } else if (!liedInBoot(plan, right)) {
      this.judgeTimes(scrape, plan, view, right);
    }
  }

  private judgeTimes(scrape: SoakScrape, plan: HostPlan, view: HostView, truth: Segment): void {
    const since = view.value('reboot_required_since_timestamp_seconds');
    const age = view.value('reboot_required_age_seconds');
    if (truth.need === null) {
      if (since !== undefined || age !== 0) this.fault(scrape, plan.name, `needs none, since ${since}, age ${age}`);
      return;
    }
    if (since === undefined || age === undefined) {
      this.fault(scrape, plan.name, `needs one, since ${since}, age ${age}`);
      return;
    }
    this.judgeSince(scrape, plan, since, truth);
    const behind = scrape.begunMs / 1000 + plan.skewSeconds - since - age;
    const ahead = age - (scrape.endedMs / 1000 + plan.skewSeconds - since);
    this.tally.mostBehindSeconds = Math.max(this.tally.mostBehindSeconds, behind);
    if (behind > this.settings.timeoutSeconds + resolutionSeconds || ahead > roundingMs / 1000)
      this.fault(scrape, plan.name, `has an age of ${age} s, ${behind.toFixed(3)} s behind what is true`);
    const before = this.memories.get(plan.name);
    this.memories.set(plan.name, { boot: truth.boot, need: truth.need, since, age });
    if (before?.boot !== truth.boot || before.need !== truth.need) return;
    if (Math.abs(before.since - since) > 0.001)
      this.fault(scrape, plan.name, `was needed since ${before.since}, and now since ${since}`);
    if (age < before.age) this.fault(scrape, plan.name, `has an age that went back from ${before.age} to ${age} s`);
  }

  /** A flag with a time of birth, or of its last writing, tells when; of one without, the first sight counts. */
  private judgeSince(scrape: SoakScrape, plan: HostPlan, since: number, truth: Segment): void {
    const isRight =
      plan.flagTimes === 'none'
        ? since >= (truth.since[0] ?? Infinity) - 0.001 && since <= scrape.endedMs / 1000 + plan.skewSeconds
        : truth.since.some((each) => Math.abs(each - since) < 0.001);
    if (!isRight) this.fault(scrape, plan.name, `is needed since ${since}, not ${truth.since.join(' or ')}`);
  }

  private kind({ misbehaviour }: Phase): KindTally {
    let kind = this.tally.kinds.get(misbehaviour.name);
    if (kind === undefined) {
      kind = { phases: 0, rightReason: 0, healed: 0, longestHealSeconds: 0 };
      this.tally.kinds.set(misbehaviour.name, kind);
    }
    return kind;
  }

  private fault({ begunMs }: SoakScrape, name: string, what: string): void {
    this.faults.push(`${((begunMs - this.settings.startMs) / 1000).toFixed(1)} s: ${name} ${what}`);
  }
}

function overlaps({ fromMs, toMs }: { fromMs: number; toMs: number }, beginMs: number, endMs: number): boolean {
  return fromMs <= endMs && toMs >= beginMs;
}

/** Since when a host has been there and has behaved; null: it is not, or does not. What tells the truth in a bad manner counts as good. */
export function goodSince(plan: HostPlan, atMs: number): number | null {
  const phase = phaseAt(plan, atMs);
  if (phase !== undefined && phase.misbehaviour.ending === undefined) return null;
  if (!segmentAt(plan, atMs).isUp) return null;
  const lastPhase = plan.phases.findLast(({ toMs, misbehaviour }) => toMs <= atMs && misbehaviour.ending === undefined);
  return Math.max(lastPhase?.toMs ?? 0, lastRestart(plan, atMs));
}

function lastRestart(plan: HostPlan, atMs: number): number {
  return plan.segments.findLast(({ isUp, toMs }) => !isUp && toMs <= atMs)?.toMs ?? 0;
}

/** A host that lied may have been believed about since when, until its next boot. */
function liedInBoot(plan: HostPlan, truth: Segment): boolean {
  const ofBoot = plan.segments.filter(({ boot }) => boot === truth.boot);
  const [first, last] = [ofBoot[0], ofBoot.at(-1)];
  if (first === undefined || last === undefined) return false;
  return plan.phases.some((phase) => phase.misbehaviour.lies === true && overlaps(phase, first.fromMs, truth.toMs));
}

/** What a view says that is not true, in words. */
function compare(view: HostView, { need, host }: Segment, isUnknownAllowed: boolean): string[] {
  const wrong: string[] = [];
  const expect = (what: string, is: unknown, wanted: unknown): void => {
    if (is !== wanted) wrong.push(`${what} is ${String(is)}, not ${String(wanted)}`);
  };
  const hasNewKernel = host.kernel.installed.at(-1)?.release !== host.kernel.running;
  expect('reboot_required', view.value('reboot_required'), need === null ? 0 : 1);
  expect('reboot_required_unknown', view.value('reboot_required_unknown'), 0);
  expect('the boot', view.value('reboot_host_boot_timestamp_seconds'), host.bootedAt);
  const reasons = need === null ? '' : hasNewKernel ? 'flag kernel' : 'flag';
  expect('the reason', view.words('reboot_required_reason_info', 'reason'), reasons);
  expect('the running kernel', view.words('reboot_host_info', 'kernel_running'), host.kernel.running);
  const newest = hasNewKernel ? [`linux-image-${host.kernel.installed.at(-1)?.release}`] : [];
  const packages = need === null ? [] : [...(host.flag?.packages ?? []), ...newest].sort();
  expect('the packages', view.words('reboot_required_package_info', 'package'), packages.join(' '));
  if (isUnknownAllowed && view.words('exposed_to_anywhere_basis_info', 'basis') === 'assumed') return wrong;
  const ports = (host.network.open ?? []).filter((port) => host.network.listening.includes(port));
  expect('exposed_to_anywhere', view.value('exposed_to_anywhere'), ports.length > 0 ? 1 : 0);
  expect('the basis', view.words('exposed_to_anywhere_basis_info', 'basis'), 'proven');
  expect('the ports', view.words('exposed_port_info', 'port'), ports.map(String).sort().join(' '));
  return wrong;
}
