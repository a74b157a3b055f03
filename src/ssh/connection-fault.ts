import { ProbeFailure } from '../failure';
import { errorWords, quoted } from './foreign-text';
import { keyFingerprint } from './host-key';
import type { Login } from './login';

/** How far a connection has come. */
export type Phase = 'greeting' | 'key exchange' | 'authentication' | 'session' | 'forwarding' | 'idle';

/** Where a connection was when something went wrong. */
export interface Situation {
  readonly peer: string;
  readonly phase: Phase;
  /** What the host sent before it identified itself as SSH. */
  readonly head: string;
  /** How many keys and certificates it was shown. */
  readonly shown: number;
}

/** The host presented a key that was not accepted. Nothing but the offer of algorithms was sent to it. */
export class HostKeyRefused extends ProbeFailure {
  readonly peer: string;
  readonly hostKey: Buffer;

  constructor(peer: string, hostKey: Buffer) {
    super('host_key', `the host key ${keyFingerprint(hostKey)} of ${peer} was not accepted`);
    this.peer = peer;
    this.hostKey = hostKey;
  }
}

/**
 * sshd says these in plain text and hangs up: too many connections wait for login
 * (MaxStartups), or this address has been too busy (PerSourcePenalties).
 */
const busyWords = /^(Exceeded MaxStartups|Not allowed at this time)/;

/** How ssh2 puts it that the host closed the connection before it identified itself. */
const lostWords = 'Connection lost before handshake';

/** The host closed the connection and said nothing about it. */
export function closedByHost({ peer, phase, head }: Situation): ProbeFailure {
  if (phase !== 'greeting') return new ProbeFailure('protocol', `${peer} closed the connection ${during(phase)}`);
  if (head === '') return new ProbeFailure('connect', `${peer} closed the connection before it said anything`);
  if (busyWords.test(head)) return new ProbeFailure('connect', `${peer} hung up: ${quoted(head)}`);
  return new ProbeFailure('protocol', `${peer} does not speak SSH; it said ${quoted(head)}`);
}

/** What an error of ssh2 means, by where it happened. */
export function translated(error: Error, situation: Situation): ProbeFailure {
  const { peer, phase, head } = situation;
  // The way to the host ended: what is on it has no say in that.
  if (error instanceof ProbeFailure) return error;
  const { level, code } = error as Error & { level?: string; code?: unknown };
  const words = quoted(errorWords(error));
  const options = { cause: error };
  if (level === 'client-authentication') {
    return new ProbeFailure('auth', `authentication at ${peer} failed: ${words}`, options);
  }
  if (level === 'client-socket') {
    const reason = phase === 'greeting' && head === '' ? 'connect' : 'protocol';
    const what = code === 'ECONNRESET' ? 'reset the connection' : `lost the connection (${String(code ?? words)})`;
    return new ProbeFailure(reason, `${peer} ${what} ${during(phase)}`, options);
  }
  if (level === 'client-timeout') return new ProbeFailure('connect', `${peer} answers no more`, options);
  // The number is the reason of an SSH_MSG_DISCONNECT, the words its description (RFC 4253, section 11.1).
  if (typeof code === 'number') {
    const reason = phase === 'authentication' ? 'auth' : 'protocol';
    const tries = situation.shown > 1 ? ` after ${situation.shown} keys were shown to it` : '';
    return new ProbeFailure(reason, `${peer} hung up ${during(phase)}${tries}: ${words}`, options);
  }
  if (error.message.includes('signature verification failed')) {
    return new ProbeFailure('host_key', `${peer} could not prove that its host key is its own`, options);
  }
  if (error.message === lostWords || (phase === 'greeting' && head !== '')) return closedByHost(situation);
  return new ProbeFailure('protocol', `${peer} broke the protocol ${during(phase)}: ${words}`, options);
}

/** The host took none of the keys. `methods` is what it offers instead. */
export function refusedLogin(
  peer: string,
  user: string,
  { offers, notes }: Login,
  methods: readonly string[],
  partial: boolean,
): ProbeFailure {
  const tried = [...new Set(offers.map(({ text }) => text))].join(', ');
  const offered = methods.length === 0 ? 'offers nothing else' : `offers ${quoted(methods.join(', '))}`;
  const verb = partial ? 'accepted a key, but asks for more than that' : 'refused the key';
  const aside = notes.map((note) => `; ${note}`).join('');
  return new ProbeFailure('auth', `${peer} ${verb} for user ${user} (${tried}); it ${offered}${aside}`);
}

function during(phase: Phase): string {
  if (phase === 'greeting') return 'before it identified itself';
  if (phase === 'forwarding') return 'while it carried others';
  return phase === 'idle' ? 'while nothing ran on it' : `during ${phase}`;
}
