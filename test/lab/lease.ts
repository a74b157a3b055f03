import dgram from 'node:dgram';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { addressPlan, slotCount } from './address-plan';
import { runProgram } from './program';

/** Everything that labs have on the machine's file system is below this folder: a folder `SLOT-PID-NUMBER` each. */
export const labsFolder = '/run/reboot-exporter-lab';

const claimPort = 10213;
let leasesTaken = 0;

/** The right to use a slot, which is a range of addresses, for as long as this process lives. */
export interface Lease {
  readonly slot: number;
  /** The lab's folder, on which its tmpfs is mounted. */
  readonly folder: string;
  /** Gives the slot back. */
  release(): void;
}

/**
 * Takes a free slot, and sweeps what labs have left whose process is dead.
 * @throws Error when all slots are in use.
 */
export async function takeLease(): Promise<Lease> {
  fs.mkdirSync(labsFolder, { recursive: true, mode: 0o755 });
  let lease: Lease | undefined;
  for (let slot = 0; slot < slotCount; slot++) {
    if (lease !== undefined && foldersOf(slot).length === 0) {
      continue;
    }
    const claim = await claimSlot(slot);
    if (claim === undefined) {
      continue;
    }
    await sweep(slot);
    if (lease !== undefined) {
      claim.close();
      continue;
    }
    const folder = path.join(labsFolder, `${slot}-${process.pid}-${++leasesTaken}`);
    fs.mkdirSync(folder);
    lease = { slot, folder, release: () => claim.close() };
  }
  if (lease === undefined) {
    throw new Error(`all ${slotCount} lab slots are in use: see ${labsFolder}`);
  }
  return lease;
}

/**
 * Removes what labs of a slot have left, which the caller has claimed. Hosts and the router are no part of it: their
 * namespaces end with their processes, and those end when the process that owns the lab does.
 */
export async function sweep(slot: number): Promise<void> {
  await runProgram(['ip', 'link', 'delete', addressPlan(slot).device]);
  for (const folder of foldersOf(slot)) {
    // Lazily, for a program of a test may still stand in there.
    await runProgram(['umount', '--lazy', folder]);
    if (isMountPoint(folder)) {
      throw new Error(`cannot unmount ${folder}`);
    }
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Holds a slot by an address of the loopback device: the kernel gives it to one process only, and takes it back when
 * that process ends, however it ends.
 */
async function claimSlot(slot: number): Promise<dgram.Socket | undefined> {
  const socket = dgram.createSocket('udp4');
  socket.bind({ address: `127.213.0.${slot + 1}`, port: claimPort, exclusive: true });
  try {
    await once(socket, 'listening');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') {
      return undefined;
    }
    throw error;
  }
  socket.unref();
  return socket;
}

function foldersOf(slot: number): string[] {
  return fs
    .readdirSync(labsFolder)
    .filter((name) => name.startsWith(`${slot}-`))
    .map((name) => path.join(labsFolder, name));
}

function isMountPoint(folder: string): boolean {
  const mounts = fs.readFileSync('/proc/self/mounts', 'utf8').split('\n');
  return mounts.some((line) => line.split(' ')[1] === folder);
}
