import { Worker } from 'node:worker_threads';

/** Ends the process when it is stuck in one input: nothing on its own thread could tell. */
export interface Watchdog {
  /** Called before each input. */
  note(index: number): void;
  stop(): Promise<unknown>;
}

/** The number of the input, or this while none is tried. */
const idle = -1;

const program = String.raw`
const { workerData } = require('node:worker_threads');
const { writeSync } = require('node:fs');
const index = new Int32Array(workerData.shared);
let last = -1;
let sinceMs = performance.now();
setInterval(() => {
  const now = Atomics.load(index, 0);
  if (now !== last || now === -1) { last = now; sinceMs = performance.now(); return; }
  if (performance.now() - sinceMs < workerData.hangMs) return;
  writeSync(2, 'input ' + now + ' did not end within ' + workerData.hangMs / 1000 + ' s\n');
  process.kill(process.pid, 'SIGKILL');
}, 250);
`;

export function startWatchdog(hangMs: number): Watchdog {
  const shared = new SharedArrayBuffer(4);
  const index = new Int32Array(shared);
  Atomics.store(index, 0, idle);
  const worker = new Worker(program, { eval: true, workerData: { shared, hangMs } });
  worker.unref();
  return {
    note: (at) => void Atomics.store(index, 0, at),
    stop: () => worker.terminate(),
  };
}
