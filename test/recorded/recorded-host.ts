import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readFacts } from '../../src/reading';
import { decodeAnswer } from '../../src/report/frame';
import { assessRestart, type RestartMemory, type RestartState } from '../../src/restart/restart';

/** Where the facts of a recorded report come from, the best proof first; the words of docs/supported-systems.md. */
export const proofs = ['real tool', 'recorded output', 'documentation'] as const;
export type Proof = (typeof proofs)[number];

/** What is to be made of one report. */
export interface Expected {
  readonly verdict: RestartState['verdict'];
  /** ISO 8601 in UTC, or null. */
  readonly since: string | null;
  readonly evidence: RestartState['evidence'];
  readonly reasons: readonly string[];
  readonly packages: readonly string[];
  /** What single signals say, by name; signals that are not named here may say anything. */
  readonly says?: Readonly<Record<string, string>>;
}

/** One folder: a distribution in one state. */
export interface RecordedHost {
  readonly folder: string;
  readonly source: string;
  readonly proof: Proof | null;
  /** The reports in the order in which they came, and what is to be made of each. */
  readonly reports: readonly { readonly name: string; readonly answer: Buffer; readonly expected: Expected }[];
}

/** Reports are recorded with this nonce, which is what the probe program takes when it is given none. */
const nonce = '0';

/** Every folder beside this file. */
export function recordedHosts(): RecordedHost[] {
  return readdirSync(__dirname, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => readRecordedHost(entry.name));
}

function readRecordedHost(folder: string): RecordedHost {
  const read = (name: string): Buffer => readFileSync(join(__dirname, folder, name));
  const source = read('source').toString();
  const expected = JSON.parse(read('expected.json').toString()) as Readonly<Record<string, Expected>>;
  return {
    folder,
    source,
    proof: proofs.find((proof) => source.startsWith(`proof: ${proof}\n`)) ?? null,
    reports: Object.entries(expected).map(([name, each]) => ({ name, answer: read(name), expected: each })),
  };
}

/** The sections of a report, and what the exporter makes of it. */
export interface Assessed {
  readonly sections: readonly string[];
  readonly state: RestartState;
  readonly memory: RestartMemory;
}

/** Does what a probe does with an answer; `remembered` is what the report before left. */
export async function assessReport(answer: Buffer, remembered: RestartMemory | null): Promise<Assessed> {
  const { sections } = await decodeAnswer(answer, nonce);
  return { sections: [...sections.keys()], ...assessRestart(readFacts(sections), sections, remembered) };
}

/** A state in the form of `expected.json`. */
export function summarize(state: RestartState, signals: readonly string[]): Expected {
  const says = new Map(state.findings.map(({ signal, finding }) => [signal, finding.says]));
  return {
    verdict: state.verdict,
    since: state.sinceSeconds === null ? null : new Date(Math.floor(state.sinceSeconds) * 1000).toISOString(),
    evidence: state.evidence,
    reasons: state.reasons,
    packages: state.packages,
    ...(signals.length === 0
      ? {}
      : { says: Object.fromEntries(signals.map((signal) => [signal, says.get(signal) ?? 'is no signal'])) }),
  };
}
