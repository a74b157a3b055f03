import type { LabKernel } from '../lab/host-spec';
import type { SystemName } from '../lab/system';

/** A kernel, and its package. */
export interface ModelKernel extends LabKernel {
  readonly packageVersion: string;
}

/** The kernels of each system, named as its distribution does; the first is the one that the lab gives it. */
const kernelLines: Partial<Record<SystemName, (n: number) => ModelKernel>> = {
  'ubuntu-24.04': (n) => ubuntuKernel(`6.8.0-${49 + n}`),
  'ubuntu-22.04': (n) => ubuntuKernel(`5.15.0-${126 + n}`),
  'debian-12': (n) => debianKernel(`6.1.0-${27 + n}`, `6.1.${115 + n}-1`),
  'debian-13': (n) => debianKernel(`6.12.${43 + n}+deb13`, `6.12.${43 + n}-1`),
};

function ubuntuKernel(version: string): ModelKernel {
  return { release: `${version}-generic`, packageVersion: `${version}.1`, version: '#1-Ubuntu SMP PREEMPT_DYNAMIC' };
}

function debianKernel(version: string, packageVersion: string): ModelKernel {
  return { release: `${version}-amd64`, packageVersion, version: `#1 SMP PREEMPT_DYNAMIC Debian ${packageVersion}` };
}

/** The nth kernel of a system; 0 is the one that the lab gives it. @throws Error for a system that has none here. */
export function kernelOf(system: SystemName, n: number): ModelKernel {
  const line = kernelLines[system];
  if (line === undefined) throw new Error(`${system} has no kernels here`);
  return line(n);
}
