import type { Scrape } from '../e2e/scrape';

/** What is true of a host, and must be what /metrics says of it. */
export interface HostTruth {
  /** null: no verdict may be shown, for the host was never read; `any`: it lies, and only the others are to be right. */
  readonly required: 0 | 1 | null | 'any';
  /** Unix time in seconds since when; of a host that needs a restart. */
  readonly sinceSeconds?: number;
  readonly bootSeconds?: number;
  /** Its verdict is known by now and must not be missing from any scrape. */
  readonly isKnown: boolean;
}

export type Truth = Readonly<Record<string, HostTruth>>;

/** The oldest ages that were seen, by host. */
export type Ages = Map<string, number>;

/** Boot times of hosts that round differ by a second. */
const toleranceSeconds = 1.5;
/** An age is counted from when the host told its clock, at some moment of a probe. */
const ageToleranceSeconds = 4;

/** What one scrape says that is not so. */
export function faultsIn(scrape: Scrape, truth: Truth, ages: Ages): string[] {
  const faults: string[] = [];
  for (const { labels } of scrape.all('reboot_probe_success')) {
    if (!((labels['host'] ?? '') in truth)) faults.push(`there is no host ${labels['host']}`);
  }
  for (const [host, is] of Object.entries(truth)) {
    if (is.required === 'any') {
      const age = scrape.value('reboot_required_age_seconds', { host });
      if (age !== undefined && !(age >= 0)) faults.push(`${host}: an age of ${age}`);
    } else faults.push(...faultsOf(scrape, host, is, ages));
  }
  return faults;
}

function faultsOf(scrape: Scrape, host: string, is: HostTruth, ages: Ages): string[] {
  const faults: string[] = [];
  const required = scrape.value('reboot_required', { host });
  if (required === undefined ? is.isKnown : required !== is.required) faults.push(`${host}: required is ${required}`);
  const since = scrape.value('reboot_required_since_timestamp_seconds', { host });
  if (since !== undefined && isApart(since, is.sinceSeconds)) faults.push(`${host}: since ${since}`);
  if (since === undefined && required === 1) faults.push(`${host}: required, but not since when`);
  const boot = scrape.value('reboot_host_boot_timestamp_seconds', { host });
  if (boot !== undefined && is.bootSeconds !== undefined && isApart(boot, is.bootSeconds))
    faults.push(`${host}: booted at ${boot}`);
  const age = scrape.value('reboot_required_age_seconds', { host });
  if (age === undefined) return faults;
  const expected = is.required === 1 ? scrape.endedMs / 1000 - (is.sinceSeconds ?? NaN) : 0;
  if (!(Math.abs(age - expected) <= ageToleranceSeconds)) faults.push(`${host}: an age of ${age}, not ${expected}`);
  if (age < (ages.get(host) ?? 0)) faults.push(`${host}: the age went back from ${ages.get(host)} to ${age}`);
  ages.set(host, age);
  return faults;
}

function isApart(value: number, expected: number | undefined): boolean {
  return !(Math.abs(value - (expected ?? NaN)) <= toleranceSeconds);
}
