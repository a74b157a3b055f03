import { isIP } from 'node:net';
import { right, wrong, type Reading } from '../config/reading';
import { readAddress } from './name';

/** One bastion on the way to a host, as OpenSSH's ProxyJump writes it: `[user@]host[:port]`. */
export interface Jump {
  readonly user: string | null;
  /** A name or address without brackets; with an ssh_config it may be an alias. */
  readonly host: string;
  readonly port: number | null;
}

/** More bastions in a row than this are taken for a mistake. */
export const maxJumps = 8;

/** Reads one bastion or several, separated by commas, first the one that is dialled first; `none` is no bastion. */
export function readJumps(written: string): Reading<readonly Jump[]> {
  if (written.trim().toLowerCase() === 'none') return right([]);
  const jumps: Jump[] = [];
  for (const part of written.split(',')) {
    const jump = readJump(part.trim());
    if (!jump.ok) return jump;
    jumps.push(jump.value);
  }
  if (jumps.length > maxJumps)
    return wrong(`names ${jumps.length} bastions in a row, at most ${maxJumps} are followed`);
  return right(jumps);
}

function readJump(written: string): Reading<Jump> {
  if (written === '') return wrong('names a bastion that is empty');
  // The form of a URI is OpenSSH's as well (ssh_config(5), ProxyJump).
  const plain = written.replace(/^ssh:\/\//i, '').replace(/\/$/, '');
  // A user's name may hold an @, a host's may not.
  const at = plain.lastIndexOf('@');
  const user = at < 0 ? null : plain.slice(0, at);
  if (user !== null && (user === '' || user.startsWith('-') || /[\s\p{Cc}]/u.test(user)))
    return wrong(`\`${written}\` names no user before the \`@\``);
  const place = splitPort(plain.slice(at + 1));
  if (place === null) return wrong(`\`${written}\` is no bastion: write \`host\`, \`user@host\` or \`user@host:port\``);
  const address = readAddress(place.host);
  if (!address.ok) return address;
  return right({ user, host: address.value, port: place.port });
}

function splitPort(text: string): { readonly host: string; readonly port: number | null } | null {
  if (isIP(text) === 6) return { host: text, port: null };
  const match = /^(?:\[([^[\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text);
  if (match === null) return null;
  const [, bracketed, plain, digits] = match;
  if (bracketed !== undefined && isIP(bracketed) === 0) return null;
  const port = digits === undefined ? null : Number(digits);
  if (port !== null && (port < 1 || port > 65_535)) return null;
  return { host: bracketed ?? plain ?? '', port };
}
