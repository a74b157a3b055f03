import type { HostFacts } from '../reading';
import type { RestartState } from './restart';

/** Live patches of the running kernel, and what they mean for a restart. */
export interface Livepatch {
  /** Names of the patches that are applied, sorted. */
  readonly patches: readonly string[];
  /** Until when their maker makes patches for this kernel, unix time in seconds; null where that can't be told. */
  readonly coveredUntilSeconds: number | null;
  /** A restart is needed for the kernel alone, and its patches are within that time: it is less urgent. */
  readonly isCovering: boolean;
}

const day = 86_400;

/**
 * For how long after its release a kernel gets patches, by how their modules are named.
 * - Canonical: 13 months, since April 2023 (ubuntu.com, "Livepatch has a new 13-month sliding support window").
 * - Red Hat: a year for the kernels that get any (access.redhat.com/articles/7057149).
 * - SUSE: a year (SUSE Linux Enterprise Live Patching, "Support").
 * - Amazon: three months (Amazon Linux user guides, "Kernel Live Patching"); its modules are named as SUSE's are.
 */
const makers: readonly { readonly prefix: string; readonly days: number }[] = [
  { prefix: 'lkp_Ubuntu_', days: 395 },
  { prefix: 'kpatch', days: 365 },
  { prefix: 'livepatch', days: 365 },
  { prefix: 'klp_', days: 365 },
];

const amazonDays = 90;

/**
 * What is known of live patches without root; null where none is applied. Whether they hold every fix of the kernel that
 * waits, only the maker's client can say: patches are made for critical and important faults, and not for all of these.
 */
export function findLivepatch(facts: HostFacts, restart: RestartState): Livepatch | null {
  const patches = facts.livepatch.patches.filter(({ isApplied }) => isApplied).map(({ name }) => name);
  if (patches.length === 0) return null;
  const built = buildTime(facts.kernel.version);
  const spans = patches.map((name) => makers.find(({ prefix }) => name.startsWith(prefix))?.days ?? null);
  if (facts.os.id === 'amzn') spans.push(amazonDays);
  const days = spans.every((span) => span !== null) ? Math.min(...spans) : null;
  const coveredUntilSeconds = built === null || days === null ? null : built + days * day;
  const now = restart.boot.nowSeconds;
  const isCovering =
    coveredUntilSeconds !== null && now !== null && now < coveredUntilSeconds && isForKernelAlone(restart);
  return { patches: patches.sort(), coveredUntilSeconds, isCovering };
}

/** No library, no firmware, no image: what a live patch replaces is all that a restart would. */
function isForKernelAlone({ verdict, reasons, packages, packagesCut }: RestartState): boolean {
  if (verdict !== 'required' || packagesCut || packages.length === 0) return false;
  return reasons.every((reason) => reason === 'kernel' || reason === 'flag') && packages.every(isKernelPackage);
}

function isKernelPackage(name: string): boolean {
  return name === 'linux-base' || /^(?:linux-image-|kernel(?:$|[-0-9]))/.test(name);
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/**
 * When the kernel was built, to the day: `uname -v` ends as date(1) prints it, `Mon Nov 4 02:06:24 UTC 2024`, on SUSE
 * with the day before a commit, on Debian as `(2024-11-01)`. A kernel is released some days after.
 */
export function buildTime(version: string | null): number | null {
  const words = (version ?? '').split(' ').filter((word) => word !== '');
  const iso = /\(([0-9]{4})-([0-9]{2})-([0-9]{2})/.exec(version ?? '');
  if (iso !== null) return utc(Number(iso[1]), Number(iso[2]) - 1, Number(iso[3]));
  const at = words.findIndex((word, index) => months.includes(word) && /^[0-9]{1,2}$/.test(words[index + 1] ?? ''));
  if (at === -1) return null;
  const year = words.slice(at + 2).find((word) => /^20[0-9]{2}$/.test(word));
  return year === undefined ? null : utc(Number(year), months.indexOf(words[at] ?? ''), Number(words[at + 1]));
}

function utc(year: number, month: number, dayOfMonth: number): number | null {
  return month > 11 || month < 0 || dayOfMonth < 1 || dayOfMonth > 31 ? null : Date.UTC(year, month, dayOfMonth) / 1000;
}
