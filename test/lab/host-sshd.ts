import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { HostFiles } from './host-files';
import type { HostKeyType, HostSpec } from './host-spec';
import type { HostPower } from './power';
import { mustRun, runProgram } from './program';
import { hostKeyPath, sshdConfig } from './sshd-config';
import { knownHostsLine, makeKeyPair } from './ssh-keys';

const limitMilliseconds = 20_000;
const logFile = '/var/log/sshd.log';
/** State of a listening socket in /proc/net/tcp: TCP_LISTEN of include/net/tcp_states.h. */
const listening = '0A';

/** Kills sshd and its sessions; /proc is the host's own, so no other host's are seen. */
const killProgram = String.raw`
for stat in /proc/[0-9]*/stat; do
  read -r pid name _ <"$stat" || continue
  case $name in '(sshd)' | '(sshd-'*) [ "$1" = all ] || [ "$pid" = "$(cat /run/sshd.pid)" ] || continue; kill "$pid" ;; esac
done 2>/dev/null
:
`;

/** The sshd of a host. */
export class HostSshd {
  private readonly publicKeys = new Map<HostKeyType, string>();

  constructor(
    private readonly spec: HostSpec,
    private readonly files: HostFiles,
    private readonly power: HostPower,
  ) {}

  get port(): number {
    return this.spec.sshPort ?? 22;
  }

  /** Makes new host keys. A running sshd keeps the old ones until it is started again. */
  makeHostKeys(): void {
    for (const type of this.spec.hostKeys ?? ['ed25519']) {
      const pair = makeKeyPair(type);
      this.publicKeys.set(type, pair.publicKey);
      this.files.write(hostKeyPath(type), pair.privateKey, { mode: 0o600 });
      this.files.write(`${hostKeyPath(type)}.pub`, `${pair.publicKey}\n`);
    }
  }

  /** Public host keys, as `ssh-ed25519 AAAA…`. */
  hostKeys(): string[] {
    return [...this.publicKeys.values()];
  }

  /** A line of known_hosts a key, for these names and addresses. */
  knownHosts(names: readonly string[]): string {
    return this.hostKeys()
      .map((key) => knownHostsLine(names, this.port, key))
      .join('');
  }

  /** Starts sshd, and waits until it listens. */
  async start(): Promise<void> {
    const started = await runProgram(this.power.up.command(['/usr/sbin/sshd', '-E', logFile]));
    if (started.code !== 0) {
      throw new Error(`${this.spec.name}: sshd does not start: ${this.log().trim()}`);
    }
    await this.untilListening(true);
  }

  /** Stops sshd, and waits until nothing listens. Sessions stay when only the `listener` is stopped. */
  async stop(what: 'all' | 'listener' = 'all'): Promise<void> {
    await mustRun(this.power.up.command(['sh', '-c', killProgram, 'kill', what]));
    await this.untilListening(false);
  }

  /** Puts other lines before those of the lab's sshd_config, as the spec's `sshdConfig`, and starts sshd anew. */
  async configure(lines: string): Promise<void> {
    this.files.write('/etc/ssh/sshd_config', sshdConfig(this.port, this.spec.hostKeys ?? ['ed25519'], lines));
    await this.stop();
    await this.start();
  }

  /** What sshd has logged so far. */
  log(): string {
    return this.files.exists(logFile) ? this.files.read(logFile) : '';
  }

  /** Waits until sshd's port is open or closed. It asks the kernel, so the host's firewall has no say in it. */
  async untilListening(wanted: boolean): Promise<void> {
    const deadline = Date.now() + limitMilliseconds;
    for (;;) {
      if (this.listens() === wanted) {
        return;
      }
      if (Date.now() > deadline || !this.power.up.alive) {
        throw new Error(`${this.spec.name}: sshd does not ${wanted ? 'listen' : 'stop'}: ${this.log().trim()}`);
      }
      await sleep(5);
    }
  }

  private listens(): boolean {
    const port = `:${this.port.toString(16).toUpperCase().padStart(4, '0')}`;
    return ['tcp', 'tcp6'].some((table) =>
      fs
        .readFileSync(`/proc/${this.power.up.pid}/net/${table}`, 'utf8')
        .split('\n')
        .some((line) => {
          const [, local = '', , state] = line.trim().split(/ +/);
          return local.endsWith(port) && state === listening;
        }),
    );
  }
}
