import { isIP } from 'node:net';
import { right, wrong, type Reading } from '../config/reading';

/** RFC 1035 section 2.3.4: 253 characters once the root's dot is left out. */
const maxNameLength = 253;

/**
 * Checks a host's name: it becomes a label, a part of a URL and an argument on the command line, so it has no spaces,
 * control characters, slashes, question marks or hashes, and starts with no `-`.
 */
export function readHostName(name: string): Reading<string> {
  if (name === '') return wrong("a name can't be empty");
  if (name.length > maxNameLength) return wrong(`a name has at most ${maxNameLength} characters`);
  if (/[\s\p{Cc}\p{Cs}/\\?#"'`<>]/u.test(name))
    return wrong(`\`${name}\` is no host name: it can't have spaces, quotes or any of \`/ \\ ? # < >\``);
  if (name.startsWith('-')) return wrong(`\`${name}\` is no host name: it can't start with \`-\``);
  return right(name);
}

/** Checks what is dialled: an IP address, or a name that DNS could know. */
export function readAddress(address: string): Reading<string> {
  if (isIP(address) !== 0) return right(address);
  if (address.startsWith('[') && isIP(address.slice(1, address.indexOf(']'))) === 6) {
    return wrong(`\`${address}\` has brackets: write the address alone, and the port as \`ssh: { port: … }\``);
  }
  if (address.includes('://')) return wrong(`\`${address}\` is a URL: write the address alone`);
  if (address.includes('@'))
    return wrong(`\`${address}\` names a user: write the address alone, and \`ssh: { user: … }\``);
  if (/:\d+$/.test(address))
    return wrong(`\`${address}\` has a port: write the address alone, and \`ssh: { port: … }\``);
  // Underscores are not for host names (RFC 952) but are found in private zones, and resolvers take them.
  const labels = address.replace(/\.$/, '').split('.');
  const named =
    address.length <= maxNameLength && labels.every((label) => /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/i.test(label));
  const lastIsNumber = /^\d+$/.test(labels[labels.length - 1] ?? '');
  if (!named || lastIsNumber) return wrong(`\`${address}\` is neither an IP address nor a name that could be resolved`);
  return right(address);
}
