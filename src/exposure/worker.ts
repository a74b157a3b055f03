import { parentPort, workerData } from 'node:worker_threads';
import type { Section } from '../report/section';
import { evaluateExposure } from './evaluate';
import { parseExposureFacts } from './facts';
import type { EvaluationSettings } from './internet';

/** What evaluate-off-loop.ts hands over. */
export interface WorkerInput {
  readonly sections: readonly { readonly name: string; readonly status: number; readonly body: Uint8Array }[];
  readonly settings: EvaluationSettings;
}

function run(input: WorkerInput): void {
  const sections = new Map<string, Section>();
  for (const { name, status, body } of input.sections) {
    sections.set(name, { name, status, body: Buffer.from(body.buffer, body.byteOffset, body.byteLength) });
  }
  parentPort?.postMessage(evaluateExposure(parseExposureFacts(sections), input.settings));
}

if (parentPort !== null) run(workerData as WorkerInput);
