import ipaddr from 'ipaddr.js';

/** One name of a certificate's subjectAltName. */
export interface AltName {
  /** `DNS`, `IP Address`, `URI`, `email` and others that OpenSSL prints. */
  readonly kind: string;
  readonly value: string;
}

/** Kinds that may be allowed by name, as in the exporter-toolkit. */
const matched: ReadonlySet<string> = new Set(['DNS', 'IP Address', 'URI', 'email']);

/**
 * Reads Node's text of a subjectAltName: `DNS:a, IP Address:192.0.2.1`. A value in which a comma or a quote could pass
 * for the beginning of another name is in JSON quotes
 * (https://nodejs.org/api/crypto.html#x509subjectaltname); what can't be read ends the list.
 */
export function readAltNames(text: string): AltName[] {
  const names: AltName[] = [];
  let rest = text;
  while (rest !== '') {
    const colon = rest.indexOf(':');
    if (colon < 0) return names;
    const kind = rest.slice(0, colon);
    const value = readValue(rest.slice(colon + 1));
    if (value === null) return names;
    names.push({ kind, value: value.text });
    if (value.after === '') return names;
    if (!value.after.startsWith(', ')) return names;
    rest = value.after.slice(2);
  }
  return names;
}

function readValue(text: string): { readonly text: string; readonly after: string } | null {
  if (!text.startsWith('"')) {
    const end = text.indexOf(', ');
    return end < 0 ? { text, after: '' } : { text: text.slice(0, end), after: text.slice(end) };
  }
  let end = 1;
  while (end < text.length && text[end] !== '"') end += text[end] === '\\' ? 2 : 1;
  try {
    return { text: String(JSON.parse(text.slice(0, end + 1))), after: text.slice(end + 1) };
  } catch {
    return null;
  }
}

/** Whether one of a certificate's names is, letter by letter, one of those allowed; addresses may be written differently. */
export function hasAllowedName(text: string, allowed: readonly string[]): boolean {
  return readAltNames(text).some(({ kind, value }) => {
    if (!matched.has(kind)) return false;
    return allowed.some((name) => name === value || (kind === 'IP Address' && isSameAddress(name, value)));
  });
}

function isSameAddress(one: string, other: string): boolean {
  if (!ipaddr.isValid(one) || !ipaddr.isValid(other)) return false;
  return ipaddr.parse(one).toNormalizedString() === ipaddr.parse(other).toNormalizedString();
}
