import { setTimeout as sleep } from 'node:timers/promises';
import { scrape, type Scrape } from './scrape';

const pauseMs = 80;
/** What was seen of one host since the round began. */
export interface Sightings {
  readonly boots: Set<number>;
  readonly sinces: Set<number>;
  readonly packages: Set<string>;
  readonly reasons: Set<string>;
}

/** Scrapes all the time, whichever exporter is there, and holds every host's ages against its own earlier ones. */
export class AgeWatch {
  readonly faults: string[] = [];
  scrapes = 0;
  /** By how many seconds an age was at most behind the time since when it counts. */
  mostBehindSeconds = 0;
  private url: string | null = null;
  private readonly ages = new Map<string, { readonly seconds: number; readonly how: string }>();
  private readonly mayDrop = new Set<string>();
  private sightings = new Map<string, Sightings>();
  private running: Promise<void> | null = null;
  private stopped = false;
  /** When the last scrape that was taken had begun. */
  private lastBegunMs = 0;

  /** An age is counted from when the host told its clock, at some moment of a probe, maybe in whole seconds. */
  constructor(private readonly probeTimeoutSeconds: number) {}

  start(): void {
    this.running = this.run();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.running;
  }

  /** From now on this exporter is asked; null: there is none. */
  attach(url: string | null): void {
    this.url = url;
  }

  /** A host is changed so that its age may begin anew, once. */
  allowDrop(host: string): void {
    this.mayDrop.add(host);
  }

  /** The change was none of that kind: it is a fault if the age has begun anew all the same. */
  forbidDrop(host: string): void {
    if (!this.mayDrop.delete(host)) this.faults.push(`${host}: the age went back at a change that is no reason for it`);
  }

  /** Ends a round, once a scrape that begins now is in: what was seen in it, by host. */
  async endRound(): Promise<ReadonlyMap<string, Sightings>> {
    const nowMs = Date.now();
    while (this.lastBegunMs <= nowMs && this.faults.length === 0) await sleep(10);
    this.mayDrop.clear();
    const seen = this.sightings;
    this.sightings = new Map();
    return seen;
  }

  private async run(): Promise<void> {
    while (!this.stopped) {
      const { url } = this;
      if (url !== null) {
        try {
          this.take(await scrape(`${url}/metrics`), url);
        } catch (error) {
          // The exporter was killed while it answered; one that is there has to answer.
          if (this.url === url) await this.tellUnlessKilled(url, error);
        }
      }
      await sleep(pauseMs);
    }
  }

  private async tellUnlessKilled(url: string, error: unknown): Promise<void> {
    await sleep(200);
    if (this.url === url) this.faults.push(`${url} did not answer: ${String(error)}`);
  }

  private take(metrics: Scrape, url: string): void {
    this.scrapes++;
    for (const { labels, value: age } of metrics.all('reboot_required_age_seconds')) {
      const host = labels['host'] ?? '';
      const since = metrics.value('reboot_required_since_timestamp_seconds', { host });
      const required = metrics.value('reboot_required', { host });
      this.sight(metrics, host, since);
      if ((required === 1) !== (since !== undefined) || (required === 0) !== (age === 0)) {
        this.faults.push(`${host}: required ${required}, since ${since}, age ${age} contradict each other`);
      }
      if (since !== undefined) this.compareWithSince(host, age, since, metrics);
      this.compareWithEarlier(host, age, `${age} s at ${new Date(metrics.endedMs).toISOString()} from ${url}`);
    }
    this.lastBegunMs = metrics.begunMs;
  }

  private sight(metrics: Scrape, host: string, since: number | undefined): void {
    let seen = this.sightings.get(host);
    if (seen === undefined) {
      seen = { boots: new Set(), sinces: new Set(), packages: new Set(), reasons: new Set() };
      this.sightings.set(host, seen);
    }
    const boot = metrics.value('reboot_host_boot_timestamp_seconds', { host });
    if (boot !== undefined) seen.boots.add(boot);
    if (since !== undefined) seen.sinces.add(since);
    for (const name of metrics.labelValues('reboot_required_package_info', 'package', { host }))
      seen.packages.add(name);
    for (const name of metrics.labelValues('reboot_required_reason_info', 'reason', { host })) seen.reasons.add(name);
  }

  private compareWithSince(host: string, age: number, since: number, metrics: Scrape): void {
    const behind = metrics.begunMs / 1000 - since - age;
    const ahead = age - (metrics.endedMs / 1000 - since);
    this.mostBehindSeconds = Math.max(this.mostBehindSeconds, behind);
    if (behind > this.probeTimeoutSeconds + 1.1 || ahead > 0.1) {
      this.faults.push(`${host}: an age of ${age} s does not fit to a since of ${since} at ${metrics.endedMs / 1000}`);
    }
  }

  private compareWithEarlier(host: string, age: number, how: string): void {
    const earlier = this.ages.get(host);
    this.ages.set(host, { seconds: age, how });
    if (earlier === undefined || age >= earlier.seconds || this.mayDrop.delete(host)) return;
    this.faults.push(`${host}: the age went back from ${earlier.how} to ${how}`);
  }
}
