import { spawn, execFileSync, execFile, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { until } from '../e2e/until';

/** What an image says of how to run it. */
export interface ImageConfig {
  readonly User: string;
  readonly Entrypoint: readonly string[];
  readonly Cmd: readonly string[];
  readonly Env: readonly string[];
  readonly Healthcheck: { readonly Test: readonly string[] };
  readonly ExposedPorts: Readonly<Record<string, unknown>>;
  readonly Volumes: Readonly<Record<string, unknown>>;
  readonly StopSignal: string;
}

export interface ContainerOptions {
  /** The image's files. */
  readonly root: string;
  readonly config: ImageConfig;
  /** Files of /etc/reboot-exporter. */
  readonly files: Readonly<Record<string, string>>;
  /** In place of the image's own. */
  readonly command?: readonly string[];
  /** Whether /tmp can be written, as with `--tmpfs /tmp`. */
  readonly tmp?: boolean;
}

/**
 * Makes what `docker run --read-only --cap-drop ALL --security-opt no-new-privileges` makes of it: namespaces of its own, the
 * image's files bound read-only, and the process as the image's user and as number 1.
 */
const setUp = String.raw`
set -eu
root=$1 state=$2 config=$3 tmp=$4 user=$5
shift 5
mount --make-rprivate /
ip link set lo up
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
mount --bind /dev "$root/dev"
mount -t proc proc "$root/proc"
mount --bind "$state" "$root/var/lib/reboot-exporter"
mount --bind -o ro "$config" "$root/etc/reboot-exporter"
[ "$tmp" = no ] || mount -t tmpfs tmpfs "$root/tmp"
exec setpriv --no-new-privs chroot --userspec="$user" --groups= "$root" "$@"
`;

/** A container of an image, run without a container runtime: needs root. */
export class Container {
  private said = '';
  private readonly ended: Promise<number | null>;

  private constructor(
    private readonly child: ChildProcess,
    private readonly folder: string,
    private readonly config: ImageConfig,
  ) {
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (piece: Buffer) => (this.said += piece.toString()));
    this.ended = once(child, 'close').then(([code]) => code as number | null);
  }

  static start({ root, config, files, command = config.Cmd, tmp = false }: ContainerOptions): Container {
    const folder = mkdtempSync(join(tmpdir(), 'reboot-exporter-container-'));
    const [state, etc] = [join(folder, 'state'), join(folder, 'etc')];
    for (const path of [state, etc]) mkdirSync(path);
    const [uid = NaN, gid = NaN] = config.User.split(':').map(Number);
    // As a new volume takes its owner from the image.
    chownSync(state, uid, gid);
    for (const [name, text] of Object.entries(files)) {
      writeFileSync(join(etc, name), text, { mode: 0o600 });
      chownSync(join(etc, name), uid, gid);
    }
    mkdirSync(join(root, 'etc/reboot-exporter'), { recursive: true });
    const namespaces = ['--mount', '--pid', '--net', '--ipc', '--uts', '--fork', '--kill-child'];
    const argv = [root, state, etc, tmp ? 'yes' : 'no', config.User, ...config.Entrypoint, ...command];
    const child = spawn('unshare', [...namespaces, 'sh', '-c', setUp, 'sh', ...argv], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: Object.fromEntries(config.Env.map((pair) => pair.split(/=(.*)/s).slice(0, 2))),
    });
    return new Container(child, folder, config);
  }

  /** All that it printed. */
  get log(): string {
    return this.said;
  }

  /** Number of its process 1, seen from outside. @throws Error when it has ended. */
  private get pid(): string {
    const inner = readFileSync(`/proc/${this.child.pid}/task/${this.child.pid}/children`, 'utf8').trim();
    if (inner === '') throw new Error(`the container has ended: ${this.said}`);
    return inner;
  }

  /** Runs the image's health check as a container runtime does. Answers its exit status. */
  async health(): Promise<number> {
    const [uid = '', gid = ''] = this.config.User.split(':');
    const [, ...command] = this.config.Healthcheck.Test;
    const enter = ['--target', this.pid, '--mount', '--pid', '--net', '--root', '--setuid', uid, '--setgid', gid];
    return promisify(execFile)('nsenter', [...enter, ...command], { timeout: 20_000 }).then(
      () => 0,
      (error: { code: number }) => error.code,
    );
  }

  /** What a URL answers, asked from within its network. */
  async fetch(url: string): Promise<string> {
    const program = 'fetch(process.argv[1]).then((r) => r.text()).then((t) => process.stdout.write(t))';
    const argv = ['--target', this.pid, '--net', process.execPath, '-e', program, url];
    return (await promisify(execFile)('nsenter', argv, { timeout: 20_000, maxBuffer: 1 << 26 })).stdout;
  }

  /** One line of /proc/1/status. */
  status(field: string): string {
    return new RegExp(`^${field}:\\s*(.*)$`, 'm').exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'))?.[1] ?? '';
  }

  /** Waits for a text in what it prints. */
  async says(text: string, seconds = 60): Promise<void> {
    await until(seconds, () => {
      if (!this.said.includes(text)) throw new Error(`it did not say ${JSON.stringify(text)}, but: ${this.said}`);
    });
  }

  /** Sends its process 1 a signal. Answers its exit status. */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    process.kill(Number(this.pid), signal);
    return this.ended;
  }

  async remove(): Promise<void> {
    // Not only unshare: the signal that --kill-child asks the kernel for is forgotten when the process changes its user.
    if (this.child.exitCode === null) await this.end('SIGKILL').catch(() => this.child.kill('SIGKILL'));
    await this.ended;
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Runs buildah on a storage of its own. */
export function buildah(storage: string, command: string, ...args: readonly string[]): string {
  const where = ['--root', join(storage, 'root'), '--runroot', join(storage, 'run'), '--storage-driver', 'vfs'];
  try {
    return execFileSync('buildah', [command, ...where, ...args], {
      encoding: 'utf8',
      stdio: 'pipe',
      maxBuffer: 1 << 26,
    }).trim();
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    throw new Error(`buildah ${command} ${args.join(' ')} failed:\n${stdout ?? ''}${stderr ?? ''}`, { cause: error });
  }
}
