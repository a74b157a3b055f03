/**
 * One framed piece of a host's answer. A host is not trusted: `body` is
 * whatever bytes it sent, bounded but not checked. Each section has one parser.
 */
export interface Section {
  readonly name: string;
  /** Exit status of what wrote it. Empty with 0 is "there is nothing"; any other status is "could not be read". */
  readonly status: number;
  readonly body: Buffer;
}

/** The sections of one answer by name. A section that the host did not send is absent. */
export type Sections = ReadonlyMap<string, Section>;
