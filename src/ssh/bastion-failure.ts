import { type FailureReason, ProbeFailure } from '../failure';

/** The way to a host failed, at a bastion; the host itself has done nothing. */
export class BastionFailure extends ProbeFailure {
  /** What a bastion failed with. */
  static at(bastion: string, { reason, message }: ProbeFailure): BastionFailure {
    return new BastionFailure(reason, `via bastion ${bastion}: ${message}`);
  }

  /** The same again, for a host that came `secondsLater`. */
  static again({ reason, message }: BastionFailure, secondsLater: number): BastionFailure {
    return new BastionFailure(reason, `${message} (${secondsLater.toFixed(1)} s ago; it is tried again soon)`);
  }

  private constructor(reason: FailureReason, message: string) {
    super(reason, message);
  }
}

/** The reasons of RFC 4254, section 5.1, for which a server opens no channel. */
const prohibited = 1;
const connectFailed = 2;

/** Why a bastion would not connect to a host. `words` are the bastion's. */
export function refusedChannel(reason: unknown, target: string, words: string): ProbeFailure {
  if (reason === prohibited) {
    return new ProbeFailure(
      'connect',
      `it forbids a connection to ${target} (AllowTcpForwarding, PermitOpen, or the key's options): ${words}`,
    );
  }
  if (reason === connectFailed) return new ProbeFailure('connect', `it could not connect to ${target}: ${words}`);
  return new ProbeFailure('connect', `it opened no channel to ${target}: ${words}`);
}
