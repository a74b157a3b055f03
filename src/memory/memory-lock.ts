import { createServer, connect, type Server } from 'node:net';
import { lstat, open, unlink, type FileHandle } from 'node:fs/promises';
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
 */
export async function lockMemory(stateFile: string): Promise<MemoryLock> {
  const folder = await open(dirname(stateFile), 'r');
  try {
    const name = `${basename(stateFile)}.lock`;
    const server = await takeSocket(folder, name, stateFile);
    return {
      async release() {
        await unlink(`${dirname(stateFile)}/${name}`).catch(() => undefined);
        await new Promise<void>((resolve) => server.close(() => resolve()));
        await folder.close();
      },
    };
  } catch (error) {
    await folder.close();
    throw error;
  }
}

async function takeSocket(folder: FileHandle, name: string, stateFile: string): Promise<Server> {
  // A socket's path may have 107 bytes (unix(7)); by way of the folder's descriptor any path is short enough.
  const path = process.platform === 'linux' ? `/proc/self/fd/${folder.fd}/${name}` : `${dirname(stateFile)}/${name}`;
  for (let attempt = 0; attempt < 3; attempt++) {
    const server = await listen(path);
    if (server !== null) {
      if (attempt === 0 || (await isStillThere(path))) return server;
      server.close();
      throw new LockedError(stateFile);
    }
    if (await answers(path)) throw new LockedError(stateFile);
    await unlink(path).catch(() => undefined);
  }
  throw new LockedError(stateFile);
}

/** Two that find the same stale socket may both remove it, the later one the other's new one: see who stays. */
async function isStillThere(path: string): Promise<boolean> {
  const mine = await lstat(path);
  await sleep(100);
  const now = await lstat(path).catch(() => null);
  return now !== null && now.ino === mine.ino;
}

function listen(path: string): Promise<Server | null> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? resolve(null) : reject(error)));
    server.listen({ path, exclusive: true }, () => {
      server.unref();
      resolve(server);
    });
  });
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
