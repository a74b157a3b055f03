/** What reading a piece of text gives: the value, or what is wrong with the text. */
export type Reading<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly message: string };

export function right<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value };
}

export function wrong(message: string): { readonly ok: false; readonly message: string } {
  return { ok: false, message };
}

/** What is said of a value that is not there at all; `null` for one that is. */
export function describeNothing(input: unknown): string | null {
  if (input === undefined) return 'is missing';
  return input === null ? 'is empty: give it a value, or remove the key' : null;
}
