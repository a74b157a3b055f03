import { setTimeout as sleep } from 'node:timers/promises';
import { hostAddresses } from './address-plan';
import { parseBootTime } from './boot';
import { bootTimeProgram, dateProgram } from './clock-program';
import { DpkgDatabase } from './dpkg-database';
import { furnish, systemOf } from './furnish';
import { HostFiles, type WriteOptions } from './host-files';
import { addAddressLine, type HostPlace } from './host-place';
import type { HostSpec, LabPackage } from './host-spec';
import { HostSshd } from './host-sshd';
import { Listeners, type Listener } from './listeners';
import { Partition } from './partition';
import { HostPower, type StartOptions } from './power';
import { ProgramError, runProgram, type ProgramResult, type RunOptions } from './program';
import type { Cut } from './router';

const dayMilliseconds = 24 * 3600 * 1000;
const flagFile = '/run/reboot-required';

/** How to run a program on a host. */
export interface ExecOptions extends RunOptions {
  /** User to run it as. Default: root. */
  readonly as?: string;
}

/** A lab host: as much of a server as a probe over SSH can see. */
export class LabHost {
  readonly name: string;
  /** Address by which the test process reaches it. */
  readonly address: string;
  readonly addressV6: string;
  readonly files: HostFiles;
  readonly sshd: HostSshd;
  readonly power: HostPower;
  private readonly dpkg: DpkgDatabase;
  private listeners: Listeners | undefined;
  private readonly network: Partition;

  constructor(
    readonly spec: HostSpec,
    private readonly place: HostPlace,
  ) {
    const { v4, v6 } = hostAddresses(place.slot, place.index);
    this.name = spec.name;
    this.address = v4;
    this.addressV6 = v6;
    this.power = new HostPower(spec, place);
    this.network = new Partition(place.router, place.index);
    const running = (): string | undefined => this.power.boot && `/proc/${this.power.boot.pid}/root`;
    this.files = new HostFiles({ folder: place.folder, running });
    this.sshd = new HostSshd(spec, this.files, this.power);
    this.dpkg = new DpkgDatabase(this.files, new Date(this.firstBootAt().getTime() - 30 * dayMilliseconds));
  }

  /** Writes the host's files and keys. The lab calls it, once. */
  async prepare(): Promise<void> {
    await furnish(this.place.folder, this.files, this.spec, this.place.clientPublicKey);
    this.sshd.makeHostKeys();
    this.dpkg.install([...systemOf(this.spec).packages, ...(this.spec.packages ?? [])]);
    this.addKernelFiles(this.power.kernel.release);
  }

  /** The host's folder in the lab. */
  get folder(): string {
    return this.place.folder;
  }

  /** When the host boots for the first time. */
  firstBootAt(): Date {
    return this.spec.bootedAt ?? new Date(Date.now() - 10 * dayMilliseconds);
  }

  /** Second half of a boot, once the router has connected the host: resolves when sshd and all listeners listen. */
  async finishBoot(): Promise<void> {
    await this.power.up.go();
    this.listeners = new Listeners(this.name, (argv) => this.power.up.command(argv));
    if (this.spec.sshd !== false) {
      await this.sshd.untilListening(true);
    }
    for (const socket of this.spec.listeners ?? []) {
      await this.listen(socket);
    }
    for (const address of this.power.additionalAddresses) {
      await this.routeTo(address);
    }
  }

  /** Boots a host that is off: new boot id, new boot time, empty `/run`. */
  async start(options: StartOptions = {}): Promise<void> {
    await this.place.router.ip(await this.power.begin(options));
    await this.finishBoot();
  }

  /** Switches the host off: every process ends, the kernel closes their connections, what was in memory is gone. */
  async stop(): Promise<void> {
    await this.power.off();
  }

  /** Restarts the host, which stays away for a while in between. */
  async restart(options: StartOptions & { readonly awayMilliseconds?: number } = {}): Promise<void> {
    await this.stop();
    await sleep(options.awayMilliseconds ?? 0);
    await this.start(options);
  }

  /** What the host says in /proc/sys/kernel/random/boot_id. */
  get bootId(): string {
    return this.power.bootId;
  }

  /**
   * `btime` of the host's own /proc/stat. A program on the host reads it: the kernel answers by the time namespace of
   * the process that asks (show_stat in fs/proc/stat.c).
   */
  async bootTimeSeconds(): Promise<number> {
    return parseBootTime((await this.exec(['cat', '/proc/stat'])).stdout);
  }

  /** Lines of known_hosts for this host's name and addresses, with the keys that it has now. */
  knownHostsLine(): string {
    return this.sshd.knownHosts([this.name, ...this.addresses()]);
  }

  /** Replaces the host's keys, as a reinstallation does. The lab's known_hosts stays as it is: see `trustHostKeys`. */
  async changeHostKey(): Promise<void> {
    this.sshd.makeHostKeys();
    await this.sshd.stop();
    await this.sshd.start();
  }

  /** Runs a program on the host, without SSH, and gives what became of it. */
  async exec(argv: readonly string[], options: ExecOptions = {}): Promise<ProgramResult> {
    const as =
      options.as === undefined ? [] : ['setpriv', `--reuid=${options.as}`, '--regid', options.as, '--init-groups'];
    const env = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/', LC_ALL: 'C' };
    return runProgram(this.power.up.command([...as, ...argv]), { env, ...options });
  }

  /**
   * Runs a shell program on the host as root, and gives its standard output.
   * @throws ProgramError when one of its commands fails.
   */
  async shell(text: string): Promise<string> {
    const argv = ['sh', '-eu'];
    const result = await this.exec(argv, { input: text });
    if (result.code !== 0) {
      throw new ProgramError([this.name, ...argv], result);
    }
    return result.stdout;
  }

  /** Runs shell text that sets up the host's firewall. It is gone after a restart; `onBoot` of the spec is not. */
  async applyRules(text: string): Promise<void> {
    await this.shell(text);
  }

  /** Opens a socket until the host restarts: `tcp 0.0.0.0:443`, `udp [::]:53 v6only`, `tcp 0.0.0.0:80 dev=eth0`. */
  listen(socket: string): Promise<Listener> {
    if (this.listeners === undefined) {
      throw new Error(`${this.name} is off`);
    }
    return this.listeners.listen(socket);
  }

  /** Gives the host one more address, now and at later boots, and leads the test process' packets for it there. */
  async addAddress(address: string): Promise<void> {
    this.power.additionalAddresses.push(address);
    await this.shell(`ip ${addAddressLine(address)}`);
    await this.routeTo(address);
  }

  /** Cuts the host off from the test process, connections that exist included. It keeps running. */
  async partition(how: Cut): Promise<void> {
    await this.network.cut(this.addresses(), how);
  }

  /** Makes every packet to the host late: round trips take that much longer. */
  async delay(milliseconds: number): Promise<void> {
    await this.network.delay(this.addresses(), milliseconds);
  }

  /** Ends a partition or a delay. */
  async heal(): Promise<void> {
    await this.network.heal();
  }

  /**
   * Steps the host's clock: `date` and `btime` are off by so many seconds from now on, also after restarts. File times
   * are not: the kernel has one time of day for all.
   */
  async setClock(aheadSeconds: number): Promise<void> {
    this.power.clockAheadSeconds = aheadSeconds;
    this.files.write('/usr/bin/date', dateProgram(aheadSeconds), { mode: 0o755 });
    await this.shell(bootTimeProgram(aheadSeconds));
  }

  /**
   * Asks for a restart as Ubuntu's /usr/share/update-notifier/notify-reboot-required does: the flag is rewritten,
   * the packages are appended, duplicates and all. `touchOnly` leaves an empty flag and no list.
   */
  setFlag(packages: readonly string[], options: { readonly touchOnly?: boolean; readonly mtime?: Date } = {}): void {
    const times: WriteOptions = options.mtime === undefined ? {} : { mtime: options.mtime };
    if (options.touchOnly === true) {
      this.files.touch(flagFile, options.mtime);
      return;
    }
    this.files.write(flagFile, '*** System restart required ***\n', times);
    this.files.append(`${flagFile}.pkgs`, packages.map((name) => `${name}\n`).join(''), times);
  }

  clearFlag(): void {
    this.files.remove(flagFile);
    this.files.remove(`${flagFile}.pkgs`);
  }

  write(file: string, content: string, options: WriteOptions = {}): void {
    this.files.write(file, content, options);
  }

  /** Installs or upgrades a package in the dpkg database, now unless `installedAt` says otherwise. */
  installPackage(item: LabPackage): void {
    this.dpkg.install([{ installedAt: new Date(), ...item }]);
  }

  purgePackage(name: string): void {
    this.dpkg.purge(name);
  }

  /** Installs a kernel: package, /boot and /lib/modules. It runs only after `restart({ kernel })`. */
  installKernel(release: string, version: string, installedAt: Date = new Date()): void {
    this.installPackage({ name: `linux-image-${release}`, version, installedAt });
    this.addKernelFiles(release);
  }

  /** Makes the host say at once that it runs this kernel. */
  setKernel(release: string, version: string): void {
    this.power.kernel = { release, version };
  }

  private addKernelFiles(release: string): void {
    this.files.write(`/boot/vmlinuz-${release}`, '', { mode: 0o600 });
    this.files.makeFolder(`/lib/modules/${release}`);
  }

  private addresses(): string[] {
    return [this.address, this.addressV6, ...this.power.additionalAddresses];
  }

  private async routeTo(address: string): Promise<void> {
    await this.place.router.addRoute(address, address.includes(':') ? this.addressV6 : this.address);
  }
}
