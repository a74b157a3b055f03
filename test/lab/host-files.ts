import fs from 'node:fs';
import path from 'node:path';

/** How a file is written. */
export interface WriteOptions {
  readonly mode?: number;
  readonly mtime?: Date;
  /** User and group number of the owner. Default: root. */
  readonly owner?: number;
}

/** Where a host's file system is: it has one when it runs, and parts of it when it is off. */
export interface HostRoots {
  /** The host's root as seen from outside while it runs: `/proc/PID/root`. */
  running(): string | undefined;
  /** The host's folder in the lab. */
  readonly folder: string;
}

const mostLinks = 40;

/** A host's files, read and written from the test process, without a program on the host. */
export class HostFiles {
  constructor(private readonly roots: HostRoots) {}

  /** Writes a file in place: an existing one keeps its inode and birth time, as with `echo > FILE`. */
  write(file: string, content: string | Buffer, options: WriteOptions = {}): void {
    const at = this.locate(file);
    fs.mkdirSync(path.dirname(at), { recursive: true });
    fs.writeFileSync(at, content);
    this.dress(at, options);
  }

  /** Appends to a file, which is made when it is not there. */
  append(file: string, content: string | Buffer, options: WriteOptions = {}): void {
    const at = this.locate(file);
    fs.mkdirSync(path.dirname(at), { recursive: true });
    fs.appendFileSync(at, content);
    this.dress(at, options);
  }

  /** As `touch`: makes an empty file, or sets the time of one that is there. */
  touch(file: string, mtime: Date = new Date()): void {
    this.append(file, '', { mtime });
  }

  read(file: string): string {
    return fs.readFileSync(this.locate(file), 'utf8');
  }

  exists(file: string): boolean {
    return fs.existsSync(this.locate(file));
  }

  /** Removes a file or a folder with all that is in it; nothing happens when there is none. */
  remove(file: string): void {
    fs.rmSync(this.locate(file, false), { recursive: true, force: true });
  }

  makeFolder(folder: string, mode = 0o755): void {
    fs.mkdirSync(this.locate(folder), { recursive: true, mode });
  }

  symlink(target: string, file: string): void {
    fs.symlinkSync(target, this.locate(file, false));
  }

  /** Copies a file or folder of the machine under the lab to the same path on the host. */
  copyFromMachine(file: string): void {
    const at = this.locate(file);
    fs.mkdirSync(path.dirname(at), { recursive: true });
    fs.cpSync(file, at, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
  }

  /** Where a path of the host is for the test process. */
  locate(file: string, followLast = true): string {
    const root = this.roots.running();
    if (root !== undefined) {
      return path.join(root, resolveInside(root, file, followLast));
    }
    const { folder } = this.roots;
    const inside = resolveInside(path.join(folder, 'root'), file, followLast);
    const [, first = '', second = '', third = ''] = inside.split('/');
    if (first === 'run' || first === 'proc' || first === 'sys' || first === 'dev') {
      throw new Error(`${file}: the host is off, and /${first} is there only while it runs`);
    }
    if (first === 'usr' && second === 'lib' && third === 'modules') {
      return path.join(folder, inside.slice('/usr/lib'.length));
    }
    return path.join(folder, first === 'usr' ? '' : 'root', inside);
  }

  private dress(at: string, options: WriteOptions): void {
    if (options.mode !== undefined) {
      fs.chmodSync(at, options.mode);
    }
    if (options.owner !== undefined) {
      fs.chownSync(at, options.owner, options.owner);
    }
    if (options.mtime !== undefined) {
      fs.utimesSync(at, options.mtime, options.mtime);
    }
  }
}

/**
 * A path below a root with its symbolic links resolved as a process with that root would. The kernel resolves an
 * absolute link below /proc/PID/root against the root of whoever asks, so `/var/run` would be the machine's own.
 */
export function resolveInside(root: string, file: string, followLast: boolean): string {
  const pending = file.split('/').filter(isName);
  const done: string[] = [];
  for (let links = 0; pending.length > 0;) {
    const name = pending.shift() ?? '';
    if (name === '..') {
      done.pop();
      continue;
    }
    const target = pending.length === 0 && !followLast ? undefined : linkTarget(path.join(root, ...done, name));
    if (target === undefined) {
      done.push(name);
      continue;
    }
    if (++links > mostLinks) {
      throw new Error(`${file}: too many symbolic links`);
    }
    if (target.startsWith('/')) {
      done.length = 0;
    }
    pending.unshift(...target.split('/').filter(isName));
  }
  return `/${done.join('/')}`;
}

function isName(part: string): boolean {
  return part !== '' && part !== '.';
}

function linkTarget(file: string): string | undefined {
  try {
    return fs.readlinkSync(file);
  } catch {
    return undefined;
  }
}
