import type { HostFacts } from '../reading';
import type { Section } from '../report/section';
import type { BootTime } from './boot-time';

/** Where a time of `since` comes from; the contract's words. */
export type Evidence = 'birth' | 'package' | 'first_seen' | 'modified';

/** One answer to "since when". */
export interface SinceCandidate {
  /** Unix time in seconds, on the host's clock. */
  readonly atSeconds: number;
  readonly evidence: Evidence;
}

/**
 * What one signal says.
 * - `required`: a restart is needed.
 * - `not_required`: none is needed as far as this signal sees, and it can be trusted on this host.
 * - `silent`: it does not apply here, or its "no" proves nothing here.
 * - `unknown`: what it needs could not be read or understood.
 */
export type Finding =
  | {
      readonly says: 'required';
      /** In words, with what was compared. */
      readonly because: string;
      readonly since: readonly SinceCandidate[];
      /** Names of the packages that ask for it; may be empty, may hold duplicates. */
      readonly packages: readonly string[];
      /** Set when the host has more packages than were sent. */
      readonly packagesCut?: boolean;
    }
  | {
      readonly says: 'not_required' | 'silent' | 'unknown';
      readonly because: string;
      /** Set when the signal is of another kind of system than this: reports leave it out. */
      readonly isElsewhere?: true;
    };

/** What a signal says on a system that it is not made for. */
export function elsewhere(because: string): Finding {
  return { says: 'silent', because, isElsewhere: true };
}

/** What a signal may look at beside its own section. */
export interface SignalContext {
  readonly facts: HostFacts;
  /** When this boot of the host began; of a container, when the container did. */
  readonly bootTime: BootTime;
}

/** A way in which a host shows that it needs a restart. One file each, registered in `signals`. */
export interface Signal {
  /** Its name in reports; the `reason` label too, where it has no other. */
  readonly name: string;
  /** The `reason` label, for signals that find on one kind of system what another finds elsewhere. */
  readonly reason?: string;
  /** One line for the documentation: what is compared, and where it is said. */
  readonly summary: string;
  /** What it reads on the host beyond the common readings, as the body of a POSIX sh function; see Reading.script. */
  readonly script?: string;
  /** A pure function that never throws. `section` is what `script` printed; undefined when the host did not send it. */
  readonly judge: (section: Section | undefined, context: SignalContext) => Finding;
}
