import { didYouMean } from './suggestion';

/** What is wrong with the name of a time zone, or `null`. Only IANA names (`Europe/London`, `UTC`) have clock changes. */
export function timezoneFault(name: string): string | null {
  // Node also takes offsets such as `+01:00`, which silently ignore summer time.
  const looksLikeName = /^[A-Za-z]/.test(name);
  if (looksLikeName && isKnown(name)) return null;
  const hint = didYouMean(name, Intl.supportedValuesOf('timeZone'));
  return `unknown time zone \`${name}\`${hint === '' ? ': give an IANA name such as `Europe/London` or `UTC`' : hint}`;
}

function isKnown(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
