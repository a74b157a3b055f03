import { randomBytes } from 'node:crypto';
import { link, lstat, open, unlink, type FileHandle } from 'node:fs/promises';
import { lstatSync, renameSync } from 'node:fs';
import { createServer, connect, type Server } from 'node:net';
import { basename, dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Another exporter holds the lock of this state file. */
export class LockedError extends Error {
  constructor(stateFile: string) {
    super(`${stateFile} is in use by another running exporter; give each its own --state.file`);
    this.name = 'LockedError';
  }
}

/** Held until released; the kernel releases it when the process ends, however it ends. */
export interface MemoryLock {
  release(): Promise<void>;
}

/**
 * Keeps a second exporter off a state file. The lock is a listening Unix socket
 * beside the file: whether its owner lives is for the kernel to say, so a
 * killed exporter can be started again at once, with no stale lock to wait for.
 * Throws LockedError, or the system's error when the folder can't be written.
 */
export async function lockMemory(stateFile: string): Promise<MemoryLock> {
  const folder = await open(dirname(stateFile), 'r');
  let server: Server | null = null;
  try {
    const within = pathWithin(folder, dirname(stateFile));
    const lock = `${within}/${basename(stateFile)}.lock`;
    // The socket is made under a name of its own: closing it removes the name that it was made with, which
    // must never be that of the lock, for by then the lock may be another exporter's.
    const own = `${lock}.${process.pid}.${randomBytes(4).toString('hex')}`;
    server = await listenAt(own, stateFile);
    try {
      await takeName(own, lock, stateFile);
    } finally {
      await unlink(own).catch(() => undefined);
    }
    return { release: () => release(server, lock, folder) };
  } catch (error) {
    server?.close();
    await folder.close();
    throw error;
  }
}

/** A socket's path may have 107 bytes (unix(7)); by way of the folder's descriptor any folder's is short enough. */
function pathWithin(folder: FileHandle, path: string): string {
  return process.platform === 'linux' ? `/proc/self/fd/${folder.fd}` : path;
}

async function takeName(own: string, lock: string, stateFile: string): Promise<void> {
  const mine = await inodeOf(own);
  for (let attempt = 0; attempt < 3; attempt++) {
    if (await succeeds(link(own, lock), 'EEXIST')) return;
    const inode = await inodeOf(lock);
    if (inode === null) continue;
    if (await answers(lock)) throw new LockedError(stateFile);
    // Its owner is gone. Two may find that at once: the last to put its own socket there stays.
    if (!replaceIfStill(lock, inode, own)) continue;
    await sleep(settleMs);
    if (mine !== null && (await inodeOf(lock)) === mine) return;
    throw new LockedError(stateFile);
  }
  throw new LockedError(stateFile);
}

/** Looks and replaces with nothing in between that could take long: a wait there is where another would slip in. */
function replaceIfStill(lock: string, inode: bigint, own: string): boolean {
  const now = lstatSync(lock, { bigint: true, throwIfNoEntry: false });
  if (now?.ino !== inode) return false;
  renameSync(own, lock);
  return true;
}

/** Longer than another needs from looking at a stale lock to replacing it. */
const settleMs = 100;

async function release(server: Server | null, lock: string, folder: FileHandle): Promise<void> {
  // While the socket still listens nobody else takes the name, so it is this lock's that is removed.
  await unlink(lock).catch(() => undefined);
  await new Promise<void>((resolve) => {
    if (server === null) resolve();
    else server.close(() => resolve());
  });
  await folder.close();
}

async function succeeds(work: Promise<void>, unless: string): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === unless) return false;
    throw error;
  }
}

async function inodeOf(path: string): Promise<bigint | null> {
  const stats = await lstat(path, { bigint: true }).catch(() => null);
  return stats === null ? null : stats.ino;
}

function listenAt(path: string, stateFile: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error: NodeJS.ErrnoException) => {
      const what = `${dirname(stateFile)} can't be written, where ${basename(stateFile)} is to be kept`;
      reject(
        Object.assign(new Error(`${what}: ${error.code ?? error.message}`, { cause: error }), { code: error.code }),
      );
    });
    server.listen({ path, exclusive: true }, () => {
      server.unref();
      resolve(server);
    });
  });
}

/** Whether a process listens there. Only a refusal says that none does: no access and a full queue are signs of life. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT' && error.code !== 'ENOTSOCK');
    });
  });
}
