import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Sections } from '../report/section';
import { DEFAULT_BOUNDS, evaluateWithin } from './evaluate';
import { parseExposureFacts } from './facts';
import type { EvaluationSettings } from './internet';
import type { ExposureVerdict } from './verdict';
import type { WorkerInput } from './worker';

export interface OffLoopBounds {
  /** Reports with more than this about the network are evaluated in a worker thread. */
  readonly inlineBytes: number;
  /** So are smaller ones whose evaluation takes more than so many steps. */
  readonly inlineOperations: number;
  /** A worker that takes longer is ended, and the answer is "unknown". */
  readonly timeoutMs: number;
  /** Heap of a worker; one that needs more is ended, too. */
  readonly maxHeapMegabytes: number;
  /** Workers at once; others wait. */
  readonly maxWorkers: number;
}

export const offLoopBounds: OffLoopBounds = {
  inlineBytes: 192 * 1024,
  inlineOperations: 20_000,
  timeoutMs: 20_000,
  maxHeapMegabytes: 1024,
  maxWorkers: 2,
};

/** Sections that are evaluated here, by the start of their names. */
const OWN = 'exposure';

let running = 0;
const waiting: (() => void)[] = [];

/**
 * The exposure of a host from what it sent: at once when that is little work, in a worker thread with a time limit when it
 * is much, so that no host can hold up the event loop. Never rejects: what cannot be evaluated is "unknown".
 */
export async function evaluateOffLoop(
  sections: Sections,
  settings: EvaluationSettings,
  bounds: OffLoopBounds = offLoopBounds,
): Promise<ExposureVerdict> {
  const own = [...sections.values()].filter((section) => section.name.startsWith(OWN));
  const bytes = own.reduce((total, section) => total + section.body.length, 0);
  if (settings.mode !== 'evaluate' || bytes <= bounds.inlineBytes) {
    const within = { ...DEFAULT_BOUNDS, operations: bounds.inlineOperations };
    const { verdict, isCutShort } = evaluateWithin(parseExposureFacts(sections), settings, within);
    if (!isCutShort) return verdict;
  }
  if (running >= bounds.maxWorkers) await new Promise<void>((resolve) => waiting.push(resolve));
  running += 1;
  try {
    return await inWorker({ sections: own, settings }, bounds);
  } finally {
    running -= 1;
    waiting.shift()?.();
  }
}

/** Compiled, the worker lies beside this file. Run from the sources (tests), it is compiled as it is loaded. */
function startWorker(input: WorkerInput, bounds: OffLoopBounds): Worker {
  const resourceLimits = { maxOldGenerationSizeMb: bounds.maxHeapMegabytes };
  const compiled = join(__dirname, 'worker.js');
  if (existsSync(compiled)) return new Worker(compiled, { workerData: input, resourceLimits });
  return new Worker(fromSource, {
    eval: true,
    workerData: { ...input, file: join(__dirname, 'worker.ts') },
    resourceLimits,
  });
}

const fromSource = `
const { readFileSync } = require('node:fs');
const { transpileModule, ModuleKind, ScriptTarget } = require('typescript');
require.extensions['.ts'] = (module, file) => {
  const compilerOptions = { module: ModuleKind.CommonJS, target: ScriptTarget.ES2022, esModuleInterop: true };
  module._compile(transpileModule(readFileSync(file, 'utf8'), { compilerOptions }).outputText, file);
};
require(require('node:worker_threads').workerData.file);
`;

function inWorker(input: WorkerInput, bounds: OffLoopBounds): Promise<ExposureVerdict> {
  return new Promise((resolve) => {
    const worker = startWorker(input, bounds);
    const finish = (verdict: ExposureVerdict): void => {
      clearTimeout(timer);
      void worker.terminate();
      resolve(verdict);
    };
    const timer = setTimeout(
      () => finish(gaveUp(`the evaluation took more than ${bounds.timeoutMs / 1000} seconds`)),
      bounds.timeoutMs,
    );
    worker.once('message', (verdict: ExposureVerdict) => finish(verdict));
    worker.once('error', (error) => finish(gaveUp(`the evaluation failed: ${error.message}`)));
    worker.once('exit', () => finish(gaveUp('the evaluation ended without an answer')));
  });
}

function gaveUp(why: string): ExposureVerdict {
  return {
    verdict: 'unknown',
    basis: 'assumed',
    because: `taken as exposed, since it is not certain: ${why}`,
    ports: [],
  };
}
