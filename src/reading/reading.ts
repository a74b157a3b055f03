import type { Section } from '../report/section';

/**
 * One thing that is read on every host: the shell that reads it and the parser
 * of what comes back, side by side in one file.
 */
export interface Reading<T> {
  /** Name of its section in the report: lower-case letters, digits and underscores. */
  readonly name: string;
  /**
   * Body of a POSIX sh function. Its output becomes the section, its exit
   * status the section's status. It must be read-only, run unprivileged under
   * dash, bash and BusyBox, start as few processes as it can, and read files
   * below `$R` (empty on a real host).
   */
  readonly script: string;
  /** Never throws; what is missing or not understood is a value that says so. */
  readonly parse: (section: Section | undefined) => T;
}
