import { Worker } from 'node:worker_threads';

/** Checks passwords against bcrypt hashes, on a thread of its own. */
export interface PasswordWorker {
  /** Whether the password has the hash. null: so many checks wait that this one was not begun. */
  check(password: string, hash: string): Promise<boolean | null>;
  close(): Promise<void>;
}

/** Checks that may wait; each takes some 0.1 s at the usual cost. */
const maxWaiting = 32;

/** The thread's program, as text, so that it is the same whether the sources or their translation run. */
const program = `
const { parentPort, workerData } = require('node:worker_threads');
const { compareSync } = require(workerData.bcrypt);
parentPort.on('message', ({ password, hash }) => parentPort.postMessage(compareSync(password, hash)));
`;

interface Waiting {
  readonly password: string;
  readonly hash: string;
  readonly resolve: (isRight: boolean) => void;
  readonly reject: (error: Error) => void;
}

/**
 * bcrypt is meant to be slow, and on the main thread a few guesses a second would delay every answer and probe. One
 * check runs at a time; the thread starts with the first and does not keep the process alive.
 */
export function createPasswordWorker(): PasswordWorker {
  const waiting: Waiting[] = [];
  let worker: Worker | null = null;

  const postFirst = (): void => {
    const [first] = waiting;
    if (first === undefined) return;
    worker ??= start();
    worker.postMessage({ password: first.password, hash: first.hash });
  };

  const start = (): Worker => {
    const started = new Worker(program, { eval: true, workerData: { bcrypt: require.resolve('bcryptjs') } });
    started.unref();
    started.on('message', (isRight: boolean) => {
      waiting.shift()?.resolve(isRight);
      postFirst();
    });
    started.on('error', (error: Error) => {
      worker = null;
      waiting.shift()?.reject(error);
      postFirst();
    });
    return started;
  };

  return {
    check(password, hash) {
      if (waiting.length >= maxWaiting) return Promise.resolve(null);
      return new Promise((resolve, reject) => {
        waiting.push({ password, hash, resolve, reject });
        if (waiting.length === 1) postFirst();
      });
    },
    async close() {
      const error = new Error('the exporter is stopping');
      for (const one of waiting.splice(0)) one.reject(error);
      await worker?.terminate();
      worker = null;
    },
  };
}
