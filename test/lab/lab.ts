import fs from 'node:fs';
import path from 'node:path';
import { addressPlan, maxHosts } from './address-plan';
import { exporterConfig, type ConfigOverrides } from './exporter-config';
import { LabHost } from './host';
import type { HostSpec } from './host-spec';
import { sweep, takeLease, type Lease } from './lease';
import { mustRun } from './program';
import { whatIsMissing } from './requirements';
import { Router } from './router';
import { copySkeleton, layOutSkeleton } from './skeleton';
import { makeKeyPair, type SshKeyPair } from './ssh-keys';

/** What a lab is made of. */
export interface LabOptions {
  readonly hosts: readonly HostSpec[];
}

/** Hosts, and a network on which this process reaches them. */
export class Lab {
  /** The key with which one logs in, as root and as the unprivileged user. */
  readonly clientKey: SshKeyPair = makeKeyPair('ed25519');
  readonly identityFile: string;
  readonly knownHostsFile: string;
  private readonly hostsByName = new Map<string, LabHost>();

  private constructor(
    private readonly lease: Lease,
    /** The network between this process and the hosts. */
    readonly router: Router,
  ) {
    this.identityFile = path.join(lease.folder, 'id_ed25519');
    this.knownHostsFile = path.join(lease.folder, 'known_hosts');
    fs.writeFileSync(this.identityFile, this.clientKey.privateKey, { mode: 0o600 });
    fs.writeFileSync(`${this.identityFile}.pub`, `${this.clientKey.publicKey}\n`);
  }

  /**
   * Starts a lab: all hosts run and accept logins when the promise resolves.
   * @throws Error naming what the machine lacks, or what a host failed with; nothing is left then.
   */
  static async start(options: LabOptions): Promise<Lab> {
    const missing = whatIsMissing();
    if (missing.length > 0) {
      throw new Error(`the lab cannot run here:\n${missing.join('\n')}`);
    }
    const lease = await takeLease();
    let router: Router | undefined;
    let lab: Lab | undefined;
    try {
      await mustRun(['mount', '-t', 'tmpfs', '-o', 'mode=755', 'reboot-exporter-lab', lease.folder]);
      await layOutSkeleton(lease.folder);
      router = await Router.start(lease.folder, addressPlan(lease.slot));
      lab = new Lab(lease, router);
      await lab.addHosts(options.hosts);
      return lab;
    } catch (error) {
      await Promise.all((lab?.hosts ?? []).map((host) => host.stop()));
      await router?.stop();
      await sweep(lease.slot);
      lease.release();
      throw error;
    }
  }

  /** Adds hosts to the lab, boots them, and adds their keys to known_hosts. */
  async addHosts(specs: readonly HostSpec[]): Promise<void> {
    const added = specs.map((spec) => this.place(spec));
    await copySkeleton(
      this.folder,
      added.map((host) => host.folder),
    );
    await Promise.all(added.map((host) => host.prepare()));
    const cables = await Promise.all(added.map((host) => host.power.begin({ bootedAt: host.firstBootAt() })));
    await this.router.ip(cables.flat());
    await Promise.all(added.map((host) => host.finishBoot()));
    fs.appendFileSync(this.knownHostsFile, added.map((host) => host.knownHostsLine()).join(''));
  }

  /** Folder of the lab on this machine: known_hosts, the client's key, and the hosts' files. */
  get folder(): string {
    return this.lease.folder;
  }

  get hosts(): LabHost[] {
    return [...this.hostsByName.values()];
  }

  /** @throws Error when there is no host of this name. */
  host(name: string): LabHost {
    const found = this.hostsByName.get(name);
    if (found === undefined) {
      throw new Error(`the lab has no host "${name}", only ${[...this.hostsByName.keys()].join(', ')}`);
    }
    return found;
  }

  /** Writes known_hosts anew with the keys that the hosts have now. */
  trustHostKeys(): void {
    fs.writeFileSync(this.knownHostsFile, this.hosts.map((host) => host.knownHostsLine()).join(''));
  }

  /** A config by which the exporter probes every host of the lab; the overrides are merged over its sections. */
  configYaml(overrides: ConfigOverrides = {}): string {
    return exporterConfig(this.hosts, this.identityFile, this.knownHostsFile, overrides);
  }

  /** Ends all hosts and removes everything that the lab has made. */
  async stop(): Promise<void> {
    await Promise.all(this.hosts.map((host) => host.stop()));
    await this.router.stop();
    await sweep(this.lease.slot);
    this.lease.release();
  }

  private place(spec: HostSpec): LabHost {
    if (this.hostsByName.has(spec.name) || !/^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/.test(spec.name)) {
      throw new Error(`"${spec.name}" is taken, or no host name`);
    }
    const index = this.hostsByName.size;
    if (index >= maxHosts) {
      throw new Error(`a lab has at most ${maxHosts} hosts`);
    }
    const host = new LabHost(spec, {
      slot: this.lease.slot,
      index,
      plan: addressPlan(this.lease.slot),
      folder: path.join(this.folder, 'hosts', `${index}`),
      router: this.router,
      clientPublicKey: this.clientKey.publicKey,
    });
    this.hostsByName.set(spec.name, host);
    return host;
  }
}
