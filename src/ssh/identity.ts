import { closeSync, fstatSync, constants, openSync, readFileSync } from 'node:fs';
import { ProbeFailure } from '../failure';
import { PrivateKey, PrivateKeyFault } from './private-key';
import { asFileFault, FileFault, WatchedFile } from './watched-file';

/** An RSA key of 16384 bits takes about 13 KiB. */
const maxKeyFileBytes = 64 * 1024;

/** The private keys that hosts name, each parsed once and again when its file has changed. */
export class IdentityFiles {
  readonly #files = new Map<string, WatchedFile<PrivateKey>>();
  readonly #nowMs: () => number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** The keys of these files, in this order. One that can't be used is an `auth` failure: a key is never left out in silence. */
  async read(paths: readonly string[]): Promise<readonly PrivateKey[]> {
    const keys: PrivateKey[] = [];
    for (const path of paths) keys.push(await this.#readOne(path));
    return keys;
  }

  async #readOne(path: string): Promise<PrivateKey> {
    let file = this.#files.get(path);
    if (file === undefined) {
      file = new WatchedFile(path, maxKeyFileBytes, parseKeyFile, this.#nowMs);
      this.#files.set(path, file);
    }
    try {
      return await file.read();
    } catch (error) {
      if (!(error instanceof FileFault)) throw error;
      throw new ProbeFailure('auth', identityFault(path, error.message));
    }
  }
}

/**
 * Why a private key file can't be used, for people, or null if it can. For the
 * check of a configuration; the file is read synchronously.
 */
export function checkIdentityFile(path: string): string | null {
  try {
    const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stats = fstatSync(descriptor);
      if (!stats.isFile()) return identityFault(path, 'it is not a regular file');
      if (stats.size > maxKeyFileBytes) return identityFault(path, `it is larger than ${maxKeyFileBytes} bytes`);
      parseKeyFile(readFileSync(descriptor), { mode: stats.mode, ownerId: stats.uid });
      return null;
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    return identityFault(path, asFileFault(error).message);
  }
}

function identityFault(path: string, why: string): string {
  return `the private key ${path} can't be used: ${why}`;
}

function parseKeyFile(bytes: Buffer, owner: { readonly mode: number; readonly ownerId: number }): PrivateKey {
  const open = permissionFault(owner.mode, owner.ownerId, process.getuid?.() ?? owner.ownerId);
  if (open !== null) throw new FileFault(open);
  try {
    return PrivateKey.parse(bytes.toString('latin1'));
  } catch (error) {
    if (error instanceof PrivateKeyFault) throw new FileFault(error.message);
    throw error;
  } finally {
    bytes.fill(0);
  }
}

/**
 * Why a key with these permissions is not safe, or null. As ssh, it refuses a key
 * of our own that anyone else can read. One that belongs to another user, as
 * secrets mounted into a container do, may be readable by a group, through which
 * we read it, but not by everyone.
 */
export function permissionFault(mode: number, ownerId: number, userId: number): string | null {
  const forbidden = ownerId === userId ? 0o077 : 0o007;
  if ((mode & forbidden) === 0) return null;
  const shown = (mode & 0o777).toString(8).padStart(4, '0');
  return `its permissions ${shown} let others at it; run chmod ${ownerId === userId ? '600' : '640'} on it`;
}
