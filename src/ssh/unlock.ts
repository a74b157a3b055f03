import { createHmac, type KeyObject, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { passphraseLength } from './key-file';
import { type Lock, PrivateKey, PrivateKeyFault } from './private-key';
import type { UnlockAnswer, UnlockQuestion } from './unlock-worker';

/**
 * A passphrase goes through bcrypt 16 to 24 times by default (`ssh-keygen -a`), which takes this program half a second, and a
 * thousand times twenty.
 */
const maxRounds = 1000;
/** Whatever function is used, a key that takes longer stays locked. */
const maxUnlockMs = 60_000;
const maxHeapMegabytes = 256;
const maxPassphraseBytes = 64 * 1024;
/** Keys of a fleet with different ones for each stack; more than this are unlocked again when they are next read. */
const maxMemoized = 64;

/** A key is unlocked once, however many ask and however often a configuration is read again. */
const memo = new Map<string, Promise<PrivateKey>>();
/** What the memo is keyed by tells nothing of a passphrase to whoever sees it. */
const memoSecret = randomBytes(32);
let last: Promise<unknown> = Promise.resolve();

/**
 * Opens an encrypted private key with the passphrase in a file, in a thread of its own: the functions that make a key of a
 * passphrase are slow on purpose. The passphrase is zeroed here as soon as it was handed over. Rejects with a
 * PrivateKeyFault, or with the error of reading the file.
 */
export async function unlock(bytes: Buffer, { rounds }: Lock, passphraseFile: string): Promise<PrivateKey> {
  if (rounds > maxRounds) {
    throw new PrivateKeyFault(
      `its passphrase goes through ${rounds} rounds, more than ${maxRounds}: write it anew with ssh-keygen -p -a 24`,
    );
  }
  const file = await readAtMost(passphraseFile, maxPassphraseBytes);
  const passphrase = file.subarray(0, passphraseLength(file));
  const id = createHmac('sha256', memoSecret).update(bytes).update('\0').update(passphrase).digest('base64');
  const known = memo.get(id);
  if (known !== undefined) {
    file.fill(0);
    return known;
  }
  // One after the other: each takes a processor for its time.
  const unlocked = last.then(() => inWorker(bytes, passphrase)).finally(() => file.fill(0));
  last = unlocked.catch(() => undefined);
  if (memo.size >= maxMemoized) memo.clear();
  memo.set(id, unlocked);
  return unlocked;
}

async function readAtMost(path: string, maxBytes: number): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const bytes = Buffer.alloc(maxBytes);
    const { bytesRead } = await file.read(bytes, 0, maxBytes, 0);
    return bytes.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

function inWorker(key: Buffer, passphrase: Buffer): Promise<PrivateKey> {
  return new Promise((resolve, reject) => {
    const worker = startWorker({ key, passphrase });
    passphrase.fill(0);
    const finish = (answer: UnlockAnswer): void => {
      clearTimeout(timer);
      void worker.terminate();
      try {
        if (typeof answer === 'string') throw new PrivateKeyFault(answer);
        resolve(new PrivateKey(answer as KeyObject));
      } catch (error) {
        reject(error);
      }
    };
    const timer = setTimeout(
      () => finish(`to open it takes more than ${maxUnlockMs / 1000} s: write it anew with ssh-keygen -p`),
      maxUnlockMs,
    );
    worker.unref();
    worker.once('message', (answer: UnlockAnswer) => finish(answer));
    worker.once('error', (error) => finish(`it could not be opened: ${error.name}`));
    worker.once('exit', () => finish('it could not be opened'));
  });
}

/** Compiled, the worker lies beside this file. Run from the sources (tests), it is compiled as it is loaded. */
function startWorker(question: UnlockQuestion): Worker {
  const resourceLimits = { maxOldGenerationSizeMb: maxHeapMegabytes };
  const compiled = join(__dirname, 'unlock-worker.js');
  if (existsSync(compiled)) return new Worker(compiled, { workerData: question, resourceLimits });
  const workerData = { ...question, file: join(__dirname, 'unlock-worker.ts') };
  return new Worker(fromSource, { eval: true, workerData, resourceLimits });
}

const fromSource = `
const { readFileSync } = require('node:fs');
const { createRequire } = require('node:module');
const { transpileModule, ModuleKind, ScriptTarget } = require('typescript');
const { file } = require('node:worker_threads').workerData;
const compilerOptions = { module: ModuleKind.CommonJS, target: ScriptTarget.ES2022, esModuleInterop: true };
const { outputText } = transpileModule(readFileSync(file, 'utf8'), { compilerOptions });
new Function('require', 'exports', outputText)(createRequire(file), {});
`;
