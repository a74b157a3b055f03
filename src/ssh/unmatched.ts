import type { Algorithms } from 'ssh2';
import { ProbeFailure } from '../failure';
import { quoted } from './foreign-text';
import { isLegacyAlgorithm } from './legacy-algorithms';
import { WireReader } from './wire';

/** The message that offers algorithms (RFC 4253, section 7.1). */
const kexInit = 20;

/** What ssh2 says when the lists of the two sides have nothing in common. */
export function isUnmatched(error: Error): boolean {
  return error.message.startsWith('Handshake failed: no matching ');
}

/** A host has nothing in common with what it was offered. Names what it would take to opt into. `piece` is what it sent last. */
export function unmatched(peer: string, error: Error, offered: Algorithms, piece: Buffer | null): ProbeFailure {
  const what = quoted(error.message.replace('Handshake failed: no matching ', '')).slice(1, -1);
  const words = `${peer} offers no ${what} that is used here`;
  const theirs = piece === null ? null : offeredBy(piece);
  if (theirs === null) {
    return new ProbeFailure('protocol', `${words}; ssh.legacy_algorithms has those that can be opted into`);
  }
  const wanted = [offered.kex, offered.serverHostKey, offered.cipher, offered.cipher, offered.hmac, offered.hmac];
  const missing = theirs.filter((names, at) => !names.some((name) => namesOf(wanted[at]).includes(name)));
  // Of compression, which comes after those lists, there is nothing to opt into.
  if (missing.length === 0) return new ProbeFailure('protocol', words);
  const needed = missing.map((names) => names.find(isLegacyAlgorithm) ?? null);
  if (needed.includes(null)) {
    const lists = missing.map((names) => quoted(names.join(','))).join(' and ');
    return new ProbeFailure('protocol', `${words}, nor one that can be opted into; it offers ${lists}`);
  }
  const option = `legacy_algorithms: [${[...new Set(needed)].join(', ')}]`;
  return new ProbeFailure(
    'protocol',
    `${words}. If it is an old server, opt into what it has, at this host alone: ssh: { ${option} }`,
  );
}

function namesOf(list: Algorithms[keyof Algorithms]): readonly string[] {
  return Array.isArray(list) ? list : [];
}

/** The first six lists of a host's offer; null where the piece does not hold all of it. */
function offeredBy(piece: Buffer): readonly (readonly string[])[] | null {
  const packet = afterGreeting(piece);
  // Length, length of the padding, the message's number, and 16 bytes of a cookie.
  if (packet === null || packet[5] !== kexInit) return null;
  const reader = new WireReader(packet.subarray(22));
  const lists = Array.from({ length: 6 }, () => reader.string().toString('latin1').split(','));
  return reader.failed ? null : lists;
}

function afterGreeting(piece: Buffer): Buffer | null {
  const greeting = piece.indexOf('SSH-');
  if (greeting !== 0 && piece[greeting - 1] !== 10) return piece;
  const end = piece.indexOf(10, greeting);
  return end < 0 ? null : piece.subarray(end + 1);
}
