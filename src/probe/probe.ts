import { randomBytes } from 'node:crypto';
import { ProbeFailure } from '../failure';
import type { Host } from '../inventory/host';
import { readFacts, type HostFacts } from '../reading';
import { cleanText } from '../report/fields';
import { decodeAnswer } from '../report/frame';
import type { Sections } from '../report/section';
import { findBootTime, type BootTime } from '../signal/boot-time';
import type { Transport } from '../ssh/transport';
import { probeInput, probeProgram, type ProbeWish } from './program';

/** What one probe of a host brought back, parsed. */
export interface HostReport {
  readonly facts: HostFacts;
  readonly boot: BootTime;
  readonly sections: Sections;
  /** Whether the sections of the firewall, sockets and routes were asked for. */
  readonly withExposure: boolean;
  /** The IP address that was dialled. */
  readonly dialledAddress: string | null;
}

/** Most bytes of an answer that are taken, compressed as they come. */
export const maxAnswerBytes = 8 * 1024 * 1024;

const program = { text: null as string | null };

/**
 * Probes one host: one connection, one command, one answer. Throws ProbeFailure
 * with the reason; `signal` ends it at whichever step it is.
 */
export async function probeHost(
  host: Host,
  wish: ProbeWish,
  transport: Transport,
  signal: AbortSignal,
): Promise<HostReport> {
  program.text ??= probeProgram();
  const nonce = randomBytes(16).toString('hex');
  const reply = await transport.run({
    host,
    command: '/bin/sh',
    input: probeInput(nonce, wish, program.text),
    maxOutputBytes: maxAnswerBytes,
    signal,
  });
  // A shell that would not run the program, such as nologin, says so in its own words and with its exit status.
  if (reply.status !== 0 && !reply.output.includes(`=${nonce} hello `)) {
    const how = reply.status === null ? (reply.endedBySignal ?? 'no exit status') : `exit status ${reply.status}`;
    throw new ProbeFailure('command', `the host did not run the probe (${how})${quote(reply.errorHead, reply.output)}`);
  }
  const { sections } = await decodeAnswer(reply.output, nonce);
  const facts = readFacts(sections);
  const boot = findBootTime(facts);
  if (boot.nowSeconds === null && boot.id === null) {
    throw new ProbeFailure('output', 'the report has neither a clock nor a boot id: is /proc mounted on the host?');
  }
  return { facts, boot, sections, withExposure: wish.exposure, dialledAddress: reply.remoteAddress };
}

/** The first words of what the host said instead. */
function quote(errorHead: string, output: Buffer): string {
  const said = errorHead === '' ? cleanText(output.toString('latin1', 0, 200), 120) : cleanText(errorHead, 120);
  return said === '' ? '' : `: ${said}`;
}
