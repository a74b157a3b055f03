import { findInstalled, isInstalled } from '../reading/dpkg';
import type { DebianPackage } from '../reading/dpkg';
import { isRpmSystem } from '../reading/rpm';
import { isBeforeBoot } from './boot-time';
import { compareDebianVersions } from './debian-version';
import { parseRelease, type KernelRelease } from './kernel-release';
import { judgeUnpacked } from './library';
import type { Finding, Signal, SignalContext, SinceCandidate } from './signal';

/**
 * The running kernel against the newest installed one of its own flavour, on
 * systems of dpkg's family. Flavours are never compared with each other, and
 * backports only with backports: a host that has both runs the one it was told to.
 */
export const kernel: Signal = {
  name: 'kernel',
  summary: 'A newer `linux-image-*` of the running flavour, or a rebuild of the running one, is installed.',
  judge(_section, context) {
    const { facts } = context;
    if (facts.machine.container !== null) {
      return { says: 'silent', because: `a ${facts.machine.container} container runs its host's kernel` };
    }
    if (facts.kernel.release === null) return { says: 'unknown', because: 'the running kernel could not be read' };
    if (isRpmSystem(facts)) return { says: 'silent', because: "the packages of this system are rpm's" };
    if (facts.dpkg.packages === null)
      return { says: 'unknown', because: 'dpkg could not be asked which kernels are installed' };
    if (isRaspberryPis(facts.kernel.release) && findInstalled(facts.dpkg, 'raspberrypi-kernel') != null) {
      return judgeRaspberryPi(context);
    }
    const running = parseRelease(facts.kernel.release);
    if (running === null) {
      return { says: 'silent', because: `${facts.kernel.release} is not the name of a packaged kernel` };
    }
    return compareWithInstalled(running, installedKernels(facts.dpkg.packages), context);
  },
};

/** A kernel package and the release that it boots. */
export interface InstalledKernel {
  readonly debianPackage: DebianPackage;
  readonly release: KernelRelease;
}

/** How kernel packages begin: Debian's and Ubuntu's, Proxmox' since version 8, Proxmox' before. */
const prefixes = ['linux-image-', 'proxmox-kernel-', 'pve-kernel-'] as const;

/** The installed kernels; meta packages, debug symbols and removed ones are not among them. */
export function installedKernels(packages: readonly DebianPackage[]): InstalledKernel[] {
  const kernels: InstalledKernel[] = [];
  for (const debianPackage of packages) {
    const prefix = prefixes.find((candidate) => debianPackage.name.startsWith(candidate));
    if (prefix === undefined || !isInstalled(debianPackage)) continue;
    if (debianPackage.name.endsWith('-dbg') || debianPackage.name.endsWith('-dbgsym')) continue;
    const name = debianPackage.name
      .slice(prefix.length)
      .replace(/^unsigned-/, '')
      .replace(/-(?:un)?signed$/, '');
    const release = parseRelease(name);
    if (release !== null) kernels.push({ debianPackage, release });
  }
  return kernels;
}

/** Newest first. */
export function newestKernel(kernels: readonly InstalledKernel[]): InstalledKernel | null {
  return [...kernels].sort((a, b) => compareDebianVersions(b.release.version, a.release.version))[0] ?? null;
}

function compareWithInstalled(running: KernelRelease, installed: InstalledKernel[], context: SignalContext): Finding {
  const own = installed.find((kernel) => kernel.release.name === running.name);
  const backport = own === undefined ? isBackportName(running.name) : isBackport(own);
  const comparable = installed.filter(
    (kernel) => kernel.release.flavour === running.flavour && isBackport(kernel) === backport,
  );
  const { pinned } = context.facts.kernel;
  const pin = installed.find((kernel) => kernel.release.name === pinned);
  // A kernel that is pinned is what the next start boots, whatever else is installed.
  const counted = pin === undefined ? comparable : [pin];
  const newer = counted.filter((kernel) => compareDebianVersions(kernel.release.version, running.version) > 0);
  const newest = newestKernel(newer);
  if (newest !== null) {
    return {
      says: 'required',
      because: `${running.name} runs, ${newest.release.name} is ${newest === pin ? 'pinned' : 'installed'}`,
      since: installTimes(newer, context),
      packages: [newest.debianPackage.name],
    };
  }
  if (pin !== undefined && own !== pin) {
    return { says: 'not_required', because: `${running.name} runs, and the older ${pin.release.name} is pinned` };
  }
  if (own === undefined) {
    return {
      says: 'unknown',
      because: `the package of the running kernel ${running.name} is not installed, nor a newer one of its flavour`,
    };
  }
  return compareBuilds(own, context);
}

/** Raspberry Pi OS before 12: one package with a kernel for each model, `6.1.21-v8+`, `6.1.21-v7l+`, `6.1.21+`. */
function isRaspberryPis(release: string): boolean {
  return /^[0-9.]{5,20}(?:-v[678]l?)?\+$/.test(release);
}

/** Its version says nothing of the release, and it replaces the kernel in place: so when it was unpacked has to tell. */
function judgeRaspberryPi(context: SignalContext): Finding {
  const finding = judgeUnpacked(['raspberrypi-kernel'], context, 'silent');
  return finding.says === 'silent' ? { says: 'not_required', because: finding.because } : finding;
}

/** Same release, other build: the package was rebuilt under the name that runs. */
function compareBuilds(own: InstalledKernel, context: SignalContext): Finding {
  const build = runningBuild(context);
  const version = own.debianPackage.version;
  if (build !== null && isNewerBuild(version, build)) {
    return {
      says: 'required',
      because: `${own.release.name} runs as build ${build}, ${version} is installed`,
      since: installTimes([own], context),
      packages: [own.debianPackage.name],
    };
  }
  return { says: 'not_required', because: `${own.release.name} runs and is the newest installed of its flavour` };
}

/**
 * The package version of the kernel that runs. Ubuntu writes it into
 * /proc/version_signature, followed by the flavour; Debian's `uname -v` has it
 * after the word Debian.
 */
function runningBuild(context: SignalContext): string | null {
  const { signature, version } = context.facts.kernel;
  if (signature !== null) {
    const word = signature.split(' ')[1];
    if (signature.startsWith('Ubuntu ') && word !== undefined) return word.slice(0, lastLetterDash(word));
  }
  // Proxmox writes `PMX 6.8.12-4 (2024-11-06T15:04Z)`, before version 8 `PVE 5.15.108-1 (…)`.
  const words = (version ?? '').split(' ');
  const maker = words.findIndex((word) => word === 'Debian' || word === 'PMX' || word === 'PVE');
  return maker === -1 ? null : (words[maker + 1] ?? null);
}

/** Where the flavour begins: `6.8.0-45.45~22.04.1-generic`, `5.15.0-1052.57-aws-fips`. */
function lastLetterDash(word: string): number {
  for (let at = 1; at < word.length - 1; at++) {
    if (word.charAt(at) === '-' && /[a-z]/.test(word.charAt(at + 1))) return at;
  }
  return word.length;
}

/** Signed packages may append `+1` and the like to the version of the build that they sign: that is no other build. */
function isNewerBuild(installed: string, running: string): boolean {
  return compareDebianVersions(installed, running) > 0 && installed.replace(/\+[0-9]{1,3}$/, '') !== running;
}

function installTimes(kernels: readonly InstalledKernel[], context: SignalContext): SinceCandidate[] {
  const since: SinceCandidate[] = [];
  for (const { debianPackage } of kernels) {
    const atSeconds = context.facts.dpkg.installedAtSeconds.get(debianPackage.name);
    if (atSeconds === undefined) continue;
    // Installed before this boot and yet not running: it has been needed since the boot.
    const atBoot = isBeforeBoot(atSeconds, context.bootTime) ? context.bootTime.atSeconds : null;
    since.push({ atSeconds: atBoot ?? atSeconds, evidence: 'package' });
  }
  return since;
}

function isBackport(kernel: InstalledKernel): boolean {
  return isBackportName(kernel.release.name) || kernel.debianPackage.version.includes('~bpo');
}

/** `6.9.7+bpo-amd64`, `4.19.0-0.bpo.19-amd64`, `5.10.0-0.deb10.16-amd64`. */
function isBackportName(release: string): boolean {
  return release.includes('bpo') || /-0\.deb[0-9]/.test(release);
}
