import type { Host } from '../inventory/host';

/** One command to run on one host. */
export interface CommandRequest {
  readonly host: Host;
  /** What the host is asked to execute, such as `/bin/sh`; a forced command on the host overrides it. */
  readonly command: string;
  /** Sent on the command's standard input, which is then closed. */
  readonly input: Buffer;
  /** More standard output than this is an `output` failure. */
  readonly maxOutputBytes: number;
  /**
   * Ends the request wherever it is: the one deadline of name resolution, connection,
   * handshake, authentication and command. Aborted with a ProbeFailure as its reason
   * it fails with that, else with `timeout`.
   */
  readonly signal: AbortSignal;
}

/** What a command answered. Everything but the numbers came from the host and is to be distrusted. */
export interface CommandResult {
  /** Standard output, complete as far as the host sent it. */
  readonly output: Buffer;
  /** The exit status; null when a signal ended the command or the host did not say. */
  readonly status: number | null;
  /** The signal that ended the command, such as `SIGKILL`. */
  readonly endedBySignal: string | null;
  /** The beginning of standard error, as one line of printable ASCII. */
  readonly errorHead: string;
  /** The fingerprint of the host key that was verified. */
  readonly hostKeyFingerprint: string;
  /** The IP address that was dialled, by us or for us; null where a name was, which only a bastion or proxy resolved. */
  readonly remoteAddress: string | null;
  /** From the request to the answer. */
  readonly durationSeconds: number;
  /** Whether a connection kept open from before was used. */
  readonly reused: boolean;
}

/** Carries commands to hosts. */
export interface Transport {
  /** Runs a command. Rejects with a ProbeFailure, never anything else, and not later than the signal. */
  run(request: CommandRequest): Promise<CommandResult>;
  /** Ends what is under way, closes every connection and resolves when they are gone, which takes half a second at most. */
  close(): Promise<void>;
}
