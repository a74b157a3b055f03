import type { SystemName } from './system';

/** A package in a host's dpkg database. */
export interface LabPackage {
  readonly name: string;
  readonly version: string;
  /** dpkg's status field. Default: `install ok installed`. */
  readonly status?: string;
  readonly architecture?: string;
  /** dpkg names the lists of libraries that several architectures may share `NAME:ARCH.list`. */
  readonly multiArchSame?: boolean;
  /** Modification time of `info/NAME.list`, which is when dpkg last unpacked it. Default: the host's install date. */
  readonly installedAt?: Date;
}

/** The kernel that a host says it runs. */
export interface LabKernel {
  /** As `uname -r`: `6.8.0-49-generic`. */
  readonly release: string;
  /** As `uname -v`: `#49-Ubuntu SMP PREEMPT_DYNAMIC …`. */
  readonly version: string;
}

export type HostKeyType = 'ed25519' | 'ecdsa' | 'rsa';
export type ContainerKind = 'docker' | 'podman' | 'lxc' | 'systemd-nspawn';

/** What a lab host is. Everything but the name has a default. */
export interface HostSpec {
  readonly name: string;
  /** Distribution: os-release, kernel and packages. Default: `ubuntu-24.04`. */
  readonly system?: SystemName;
  /** When it last booted. Default: ten days before now. */
  readonly bootedAt?: Date;
  readonly kernel?: LabKernel;
  readonly packages?: readonly LabPackage[];
  /** Files that are there from the first boot on: path and content. */
  readonly files?: Readonly<Record<string, string>>;
  /** Markers of a container, and the environment of its first process. */
  readonly container?: ContainerKind;

  /** Login shell of the unprivileged user. Default: `/bin/bash`. */
  readonly shell?: string;
  /** What `/bin/sh` is. Default: `dash`; `busybox` also replaces coreutils and the like. */
  readonly sh?: 'dash' | 'bash' | 'busybox' | 'ksh' | 'mksh' | 'yash' | 'zsh';
  /** Programs that this host does not have: `['stat', 'nft']`. */
  readonly without?: readonly string[];
  /** Lines of `/etc/sudoers.d/reboot-exporter`. Default: none. */
  readonly sudoers?: string;
  /** Content of the unprivileged user's authorized_keys. Default: the lab's client key. */
  readonly authorizedKeys?: string;
  /** Lines of sshd_config(5) that win over the lab's. */
  readonly sshdConfig?: string;
  readonly sshPort?: number;
  /** Without sshd nobody logs in; `exec` still works. Default: true. */
  readonly sshd?: boolean;
  readonly hostKeys?: readonly HostKeyType[];

  /** Addresses beside the lab's own, for instance public ones; the test process reaches the host by them too. */
  readonly addresses?: readonly string[];
  /** Shell text run as root at every boot, after the network is up: firewall rules, sysctls. */
  readonly onBoot?: string;
  /** Sockets opened at every boot, as `listen` takes them. */
  readonly listeners?: readonly string[];
  /** The flag outlives a restart, as where `/run` is no tmpfs. Default: false. */
  readonly runPersists?: boolean;
  /** Files in `/run` have no birth time, as with tmpfs before Linux 5.18. Default: true, they have. */
  readonly birthTimes?: boolean;

  /** For the exporter's config. */
  readonly stack?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** The config's `exposure:` of this host, verbatim. */
  readonly exposure?: unknown;
}
