import { isRpmSystem, type RpmPackage } from '../reading/rpm';
import type { HostFacts } from '../reading';
import { isImageBased } from '../reading/image';
import { cleanText } from '../report/fields';
import { isAfterBoot, isBeforeBoot } from './boot-time';
import { compareRpmVersions } from './rpm-version';
import { elsewhere, type Finding, type Signal, type SignalContext, type SinceCandidate } from './signal';

/**
 * The running kernel against the newest installed one of its own flavour, on systems of rpm's family. A flavour is the
 * name of a package: `kernel-core`, `kernel-rt-core`, `kernel-64k-core`, `kernel-uek-core`, `kernel6.12`,
 * `kernel-default`. Flavours are never compared with each other.
 */
export const rpmKernel: Signal = {
  name: 'rpm_kernel',
  reason: 'kernel',
  summary: 'A newer kernel package of the running flavour is installed with rpm, or a rebuild of the running one.',
  judge(_section, context) {
    const { facts } = context;
    if (!isRpmSystem(facts)) return elsewhere("the packages of this system are not rpm's");
    if (facts.machine.container !== null) {
      return { says: 'silent', because: `a ${facts.machine.container} container runs its host's kernel` };
    }
    if (facts.kernel.release === null) return { says: 'unknown', because: 'the running kernel could not be read' };
    if (facts.rpm.packages === null) {
      return { says: 'unknown', because: 'rpm could not be asked which kernels are installed' };
    }
    return compareWithInstalled(facts.kernel.release, kernelPackages(facts.rpm.packages), context);
  },
};

/** Parts of a kernel that boot nothing by themselves. */
const notBooted =
  /-(?:devel|headers|modules|tools|doc|docs|debuginfo|source|syms|macros|firmware|extra|livepatch)(?:-|$)/;

/** The packages that hold a kernel image. Where there is a `kernel-core`, `kernel` is an empty package that draws it in. */
export function kernelPackages(packages: readonly RpmPackage[]): RpmPackage[] {
  const kernels = packages.filter(({ name }) => name.startsWith('kernel') && !notBooted.test(`${name}-`));
  const split = new Set(kernels.map(({ name }) => name).filter((name) => name.endsWith('-core')));
  return kernels.filter(({ name }) => !split.has(`${name}-core`));
}

/** The newest installed kernel of the flavour that runs, as `uname -r` would print it; null when it can't be told. */
export function newestRpmKernel(facts: HostFacts): string | null {
  const running = facts.kernel.release;
  if (running === null || !isRpmSystem(facts) || facts.rpm.packages === null) return null;
  const kernels = kernelPackages(facts.rpm.packages);
  const own = findOwn(running, kernels);
  if (own === null) return null;
  const newest = ofFlavour(own, kernels).sort((a, b) => compareRpmVersions(b, a))[0] ?? own;
  return newest === own ? running : releaseOf(newest, running);
}

function compareWithInstalled(running: string, kernels: readonly RpmPackage[], context: SignalContext): Finding {
  const own = findOwn(running, kernels);
  const name = cleanText(running, 128);
  if (own === null) {
    return { says: 'unknown', because: `the package of the running kernel ${name} is not installed` };
  }
  const newer = ofFlavour(own, kernels).filter((kernel) => compareRpmVersions(kernel, own) > 0);
  const newest = [...newer].sort((a, b) => compareRpmVersions(b, a))[0];
  if (newest !== undefined) {
    return {
      says: 'required',
      because: `${name} runs, ${describe(newest)} is installed`,
      since: newer.map((kernel) => installTime(kernel, context)),
      packages: [newest.name],
    };
  }
  if (isSuseRelease(running, own)) {
    // SUSE leaves the count of rebuilds out of the release: the next build takes the place of the one that runs.
    const isReplaced = isAfterBoot(own.installedAtSeconds, context.bootTime);
    if (isReplaced === true) {
      return {
        says: 'required',
        because: `${describe(own)} was installed after this boot under the name that runs, ${name}`,
        since: [{ atSeconds: own.installedAtSeconds, evidence: 'package' }],
        packages: [own.name],
      };
    }
    if (isReplaced === null) {
      return { says: 'unknown', because: `it can't be told whether ${describe(own)} was installed after this boot` };
    }
  }
  const because = `${name} runs and is the newest installed of its flavour`;
  if (isImageBased(context.facts)) {
    return { says: 'silent', because: `${because}, but this is the database of the image that runs` };
  }
  return { says: 'not_required', because };
}

/** The package that the running kernel came from. */
function findOwn(running: string, kernels: readonly RpmPackage[]): RpmPackage | null {
  const own = kernels.filter((kernel) => isRedHatRelease(running, kernel) || isSuseRelease(running, kernel));
  // Two builds of one version differ in the words of their names: `kernel-core` has none, `kernel-64k-core` has `64k`.
  return own.sort((a, b) => a.name.length - b.name.length)[0] ?? null;
}

/**
 * Red Hat's, Fedora's, Amazon's and Oracle's releases: version, release and architecture, as the spec file's KVERREL,
 * and behind them `+` or `.` and the variant (`+rt`, `+64k`, `+debug`), which is in the package's name as well.
 * Azure Linux' have no architecture.
 */
function isRedHatRelease(running: string, kernel: RpmPackage): boolean {
  const short = `${kernel.version}-${kernel.release}`;
  const base = `${short}.${kernel.architecture}`;
  if (running === short) return true;
  if (!running.startsWith(base)) return false;
  const words = running
    .slice(base.length)
    .split(/[+.-]/)
    .filter((word) => word !== '');
  const nameWords = kernel.name.split('-');
  return words.every((word) => nameWords.includes(word)) && !(words.length === 0 && isVariant(kernel.name));
}

/** Variants whose release always has their name behind it: kernel.spec, uname_suffix. */
const suffixed = ['64k', '16k', 'debug', 'zfcpdump', 'lpae'];

function isVariant(name: string): boolean {
  return name.split('-').some((word) => suffixed.includes(word));
}

/** SUSE's: version, the release without its last numbers, and the flavour, which is the package's name without `kernel-`. */
function isSuseRelease(running: string, kernel: RpmPackage): boolean {
  const flavour = suseFlavour(kernel.name);
  if (flavour === null || !running.endsWith(`-${flavour}`)) return false;
  const version = running.slice(0, -flavour.length - 1);
  const installed = `${kernel.version}-${kernel.release}`;
  return version.includes('-') && (installed === version || installed.startsWith(`${version}.`));
}

/** `kernel-default-base` is `kernel-default` with fewer modules, and takes its place. */
function suseFlavour(name: string): string | null {
  if (!name.startsWith('kernel-') || name.endsWith('-core')) return null;
  return name.slice('kernel-'.length).replace(/-base$/, '');
}

function ofFlavour(own: RpmPackage, kernels: readonly RpmPackage[]): RpmPackage[] {
  const flavour = (name: string): string => name.replace(/-base$/, '');
  return kernels.filter(
    ({ name, architecture }) => flavour(name) === flavour(own.name) && architecture === own.architecture,
  );
}

/** What `uname -r` will print with another kernel of the flavour that runs; of SUSE's, with the count of rebuilds. */
function releaseOf(kernel: RpmPackage, running: string): string {
  const flavour = suseFlavour(kernel.name);
  if (flavour !== null && running.endsWith(`-${flavour}`)) return `${kernel.version}-${kernel.release}-${flavour}`;
  const at = running.indexOf(`.${kernel.architecture}`);
  if (at === -1) return `${kernel.version}-${kernel.release}`;
  const suffix = running.slice(at + kernel.architecture.length + 1);
  return `${kernel.version}-${kernel.release}.${kernel.architecture}${suffix}`;
}

/** As rpm prints it. */
function describe(kernel: RpmPackage): string {
  return `${kernel.name}-${kernel.version}-${kernel.release}`;
}

function installTime(kernel: RpmPackage, { bootTime }: SignalContext): SinceCandidate {
  // Installed before this boot and yet not running: it has been needed since the boot.
  const atBoot = isBeforeBoot(kernel.installedAtSeconds, bootTime) ? bootTime.atSeconds : null;
  return { atSeconds: atBoot ?? kernel.installedAtSeconds, evidence: 'package' };
}
