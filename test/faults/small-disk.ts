import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { mustRun } from '../lab/program';

/** A disk of 64 KiB at a folder, for whoever is run under it; it goes when this process does, however that ends. */
export class SmallDisk {
  private constructor(
    private readonly holder: ChildProcess,
    readonly folder: string,
  ) {}

  static async mount(folder: string): Promise<SmallDisk> {
    mkdirSync(folder, { recursive: true });
    const script = 'mount -t tmpfs -o size=64k faults "$1" && echo ready && exec cat';
    const holder = spawn('unshare', ['--mount', 'sh', '-c', script, 'small-disk', folder], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    if (holder.stdout === null) throw new Error('the disk has no output');
    const [said] = (await once(holder.stdout, 'data')) as [Buffer];
    if (said.toString() !== 'ready\n') throw new Error(`the disk could not be mounted: ${said.toString()}`);
    return new SmallDisk(holder, folder);
  }

  /** Program and arguments under which a process has the disk. */
  get under(): string[] {
    return ['nsenter', '--target', `${this.holder.pid}`, '--mount', '--'];
  }

  /** A path on it, as this process sees it. */
  path(name: string): string {
    return `/proc/${this.holder.pid}/root${this.folder}/${name}`;
  }

  async fill(): Promise<void> {
    // It fails, for there is less room than that.
    const script = 'dd if=/dev/zero of="$1/filling" bs=1k count=100 2>/dev/null || true';
    await mustRun([...this.under, 'sh', '-c', script, 'fill', this.folder]);
  }

  async empty(): Promise<void> {
    await mustRun([...this.under, 'rm', `${this.folder}/filling`]);
  }

  async setReadOnly(isReadOnly: boolean): Promise<void> {
    await mustRun([...this.under, 'mount', '-o', `remount,${isReadOnly ? 'ro' : 'rw'}`, this.folder]);
  }

  async unmount(): Promise<void> {
    const ended = once(this.holder, 'exit');
    this.holder.stdin?.end();
    await ended;
  }
}
