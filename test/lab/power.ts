import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { Boot } from './boot';
import { bootTimeProgram } from './clock-program';
import { fstab, systemOf } from './furnish';
import { cableLines, networkLines, type HostPlace } from './host-place';
import type { ContainerKind, HostSpec, LabKernel } from './host-spec';

/** How a host comes up. */
export interface StartOptions {
  /** When it says it booted; not after now. Default: now. */
  readonly bootedAt?: Date;
  /** Kernel that it runs from now on. Default: the same as before. */
  readonly kernel?: LabKernel;
}

/** A host's boots, one after the other: each has namespaces, a boot id and a boot time of its own. */
export class HostPower {
  /** Addresses beside the lab's own, which the host gets at every boot. */
  readonly additionalAddresses: string[];
  /** By how much the host's clock is wrong, also after a restart. */
  clockAheadSeconds = 0;
  private current: Boot | undefined;
  private boots = 0;
  private id = '';
  private runningKernel: LabKernel;

  constructor(
    private readonly spec: HostSpec,
    private readonly place: HostPlace,
  ) {
    this.runningKernel = spec.kernel ?? systemOf(spec).kernel;
    this.additionalAddresses = [...(spec.addresses ?? [])];
  }

  /** The boot that is under way. Undefined while the host is off. */
  get boot(): Boot | undefined {
    return this.current;
  }

  /** The boot that is under way. @throws Error while the host is off. */
  get up(): Boot {
    if (this.current === undefined) {
      throw new Error(`${this.spec.name} is off`);
    }
    return this.current;
  }

  /** What the host says in /proc/sys/kernel/random/boot_id. */
  get bootId(): string {
    return this.id;
  }

  get kernel(): LabKernel {
    return this.runningKernel;
  }

  /** Makes the host say at once that it runs another kernel; a real host would need a restart for it. */
  set kernel(kernel: LabKernel) {
    this.runningKernel = kernel;
    this.writeIdentity();
  }

  /** Makes the namespaces of the next boot. Returns the lines for ip(8) by which the router connects them. */
  async begin(options: StartOptions): Promise<string[]> {
    if (this.current !== undefined) {
      throw new Error(`${this.spec.name} already runs`);
    }
    this.boots += 1;
    this.id = randomUUID();
    this.kernel = options.kernel ?? this.kernel;
    this.write('fstab', fstab(this.place.folder, this.spec));
    this.write('network', networkLines(this.place, this.additionalAddresses).join('\n'));
    this.write('onboot', this.onBoot());
    this.current = await Boot.begin({
      hostName: this.spec.name,
      folder: this.place.folder,
      bootedAt: options.bootedAt ?? new Date(),
      sshd: this.spec.sshd !== false,
      environment: containerEnvironment(this.spec.container),
    });
    return cableLines(this.place, this.boots, this.current.pid);
  }

  /** Ends the boot: all processes at once, and with them everything that was in memory. */
  async off(): Promise<void> {
    const boot = this.current;
    this.current = undefined;
    await boot?.end();
  }

  private onBoot(): string {
    const clock = this.clockAheadSeconds === 0 ? '' : bootTimeProgram(this.clockAheadSeconds);
    return [containerMarker(this.spec.container), clock, this.spec.onBoot ?? ''].join('\n').trim();
  }

  /** Written in place: the files are bound over those of /proc by their inode. */
  private writeIdentity(): void {
    const { release, version } = this.runningKernel;
    this.write('identity/boot_id', `${this.id}\n`);
    this.write('identity/osrelease', `${release}\n`);
    this.write('identity/version', `${version}\n`);
    this.write(
      'identity/proc_version',
      `Linux version ${release} (builder@lab) (gcc 13.2.0, GNU ld 2.42) ${version}\n`,
    );
  }

  private write(name: string, content: string): void {
    fs.writeFileSync(path.join(this.place.folder, name), content);
  }
}

function containerEnvironment(kind: ContainerKind | undefined): string[] {
  // Docker sets none; the others do: https://systemd.io/CONTAINER_INTERFACE/
  return kind === undefined || kind === 'docker' ? [] : [`container=${kind}`];
}

function containerMarker(kind: ContainerKind | undefined): string {
  switch (kind) {
    case undefined:
      return '';
    case 'docker':
      return ': >/.dockerenv';
    case 'podman':
      return ': >/run/.containerenv';
    case 'lxc':
    case 'systemd-nspawn':
      return `mkdir -p /run/systemd; echo ${kind} >/run/systemd/container`;
  }
}
