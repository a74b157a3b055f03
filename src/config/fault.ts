/** Something wrong, or worth a look, in one place of one file. Lines and columns count from 1. */
export interface Fault {
  readonly file: string;
  readonly line: number;
  readonly col: number;
  readonly message: string;
}

/** A place in a file; both count from 1, columns in UTF-16 code units as editors do. */
export interface Place {
  readonly line: number;
  readonly col: number;
}

/** Where a fault is put that concerns a file as a whole. */
export const fileStart: Place = { line: 1, col: 1 };

export function faultAt(file: string, place: Place, message: string): Fault {
  return { file, line: place.line, col: place.col, message };
}

/** `file:line:col: message`, the form that editors and CI systems turn into a link. */
export function formatFault(fault: Fault): string {
  // A message may quote what a file or a service said, which must not steer the terminal that shows it.
  return `${fault.file}:${fault.line}:${fault.col}: ${fault.message}`.replace(/[\p{Cc}\u2028\u2029]/gu, '\ufffd');
}

/** Orders faults as a reader meets them: file by file in the given order, then from top to bottom. */
export function sortFaults(faults: readonly Fault[]): Fault[] {
  const fileOrder = new Map<string, number>();
  for (const fault of faults) {
    if (!fileOrder.has(fault.file)) fileOrder.set(fault.file, fileOrder.size);
  }
  const orderOf = (fault: Fault): number => fileOrder.get(fault.file) ?? 0;
  return [...faults].sort((a, b) => orderOf(a) - orderOf(b) || a.line - b.line || a.col - b.col);
}
