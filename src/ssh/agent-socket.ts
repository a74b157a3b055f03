import { connect } from 'node:net';
import { errorCode, errorMessage } from './error-code';
import { algorithmOf } from './signature';
import { strings, uint32, WireReader } from './wire';

/** An agent could not be asked, or did not do what it was asked for; `message` says why in plain words. */
export class AgentFault extends Error {}

/** How long an agent has to answer where no person has to be asked first. */
const answerMs = 5000;
/** How long one has to sign, for which it may ask its user; the deadline of the probe comes before. */
const confirmationMs = 60_000;

/** MAX_AGENT_REPLY_LEN and MAX_AGENT_IDENTITIES of OpenSSH's authfd.c. */
const maxReplyBytes = 256 * 1024;
const maxIdentities = 2048;

/** The messages of draft-ietf-sshm-ssh-agent, sections 3 and 5.1. */
const failure = 5;
const requestIdentities = 11;
const identitiesAnswer = 12;
const signRequest = 13;
const signResponse = 14;

/** By which flag an agent is asked not to sign with SHA-1 (section 5.1.1). */
const flags: ReadonlyMap<string, number> = new Map([
  ['rsa-sha2-256', 2],
  ['rsa-sha2-512', 4],
]);

/** The public keys and certificates that an agent has the private halves of, in its order. Rejects with an AgentFault. */
export async function listIdentities(path: string): Promise<Buffer[]> {
  const reply = await ask(path, Buffer.from([requestIdentities]), answerMs, new AbortController().signal);
  if (reply[0] !== identitiesAnswer) throw new AgentFault('it does not tell which keys it has');
  const reader = new WireReader(reply.subarray(1));
  const count = reader.uint32();
  if (count > maxIdentities) throw new AgentFault(`it has ${count} keys, more than ${maxIdentities}`);
  const blobs: Buffer[] = [];
  for (let at = 0; at < count; at += 1) {
    blobs.push(reader.string());
    reader.string(); // The comment is for people.
  }
  if (!reader.complete) throw new AgentFault('its answer is no list of keys');
  return blobs;
}

/** Has an agent sign; the signature is as SSH writes it. Rejects with an AgentFault. */
export async function requestSignature(
  path: string,
  { blob, algorithm, data }: { readonly blob: Buffer; readonly algorithm: string; readonly data: Buffer },
  signal: AbortSignal,
): Promise<Buffer> {
  const message = Buffer.concat([Buffer.from([signRequest]), strings(blob, data), uint32(flags.get(algorithm) ?? 0)]);
  const reply = await ask(path, message, confirmationMs, signal);
  if (reply[0] === failure) throw new AgentFault('it refused to sign');
  const reader = new WireReader(reply.subarray(1));
  const signature = reader.string();
  if (reply[0] !== signResponse || !reader.complete) throw new AgentFault('its answer is no signature');
  const used = algorithmOf(signature);
  if (used !== algorithm) throw new AgentFault(`it does not sign with ${algorithm}`);
  return signature;
}

/** One question on a connection of its own, which is closed whatever happens. */
function ask(path: string, message: Buffer, limitMs: number, signal: AbortSignal): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    const chunks: Buffer[] = [];
    let received = 0;
    let length: number | null = null;
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', giveUp);
      socket.removeAllListeners();
      socket.on('error', () => undefined);
      socket.destroy();
    };
    const fail = (why: string): void => {
      end();
      reject(new AgentFault(why));
    };
    const giveUp = (): void => fail('nobody waits for its answer any more');
    const timer = setTimeout(() => fail(`it did not answer within ${limitMs / 1000} s`), limitMs);
    if (signal.aborted) {
      giveUp();
      return;
    }
    signal.addEventListener('abort', giveUp);
    socket.once('connect', () => socket.write(Buffer.concat([uint32(message.length), message])));
    socket.once('error', (error) => fail(socketFaults[errorCode(error)] ?? errorMessage(error)));
    socket.once('close', () => fail('it hung up'));
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      received += chunk.length;
      if (received < 4) return;
      length ??= Buffer.concat(chunks).readUInt32BE();
      if (length === 0 || length > maxReplyBytes) fail(`it announces an answer of ${length} bytes`);
      if (received < 4 + length) return;
      end();
      resolve(Buffer.concat(chunks).subarray(4, 4 + length));
    });
  });
}

const socketFaults: Readonly<Record<string, string>> = {
  ENOENT: 'the socket does not exist',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ECONNREFUSED: 'nobody listens on the socket',
  ENOTSOCK: 'it is not a socket',
  ENOTDIR: 'a part of its path is not a directory',
};
