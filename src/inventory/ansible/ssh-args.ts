import { splitWords } from '../../config/ssh-config/words';
import type { SshOverrides } from '../entry';
import { readJumps } from '../jump';

/** What arguments for ssh say of the way to a host. */
export interface SshArgs {
  readonly ssh: Pick<SshOverrides, 'proxyJump' | 'addressFamily'>;
  /** What of them is not used here, as it is written. */
  readonly unused: readonly string[];
}

/** Options that are about how ssh works and not about where it gets to. */
const indifferent = new Set(
  'batchmode compression connectionattempts controlmaster controlpath controlpersist gssapiauthentication loglevel passwordauthentication preferredauthentications serveralivecountmax serveraliveinterval tcpkeepalive forwardagent'.split(
    ' ',
  ),
);

/**
 * Reads `ansible_ssh_common_args` and the like: `-J`, `-o ProxyJump=…`, the form of ProxyCommand that is the same
 * (`ssh -W %h:%p bastion`), `-4`, `-6` and `-o AddressFamily=…`. As with ssh, the first that is said counts.
 */
export function readSshArgs(written: string): SshArgs {
  const words = splitWords(written.replaceAll('\n', ' '));
  if (words === null || written.includes('{{')) return { ssh: {}, unused: [written] };
  let proxyJump: SshOverrides['proxyJump'];
  let addressFamily: SshOverrides['addressFamily'];
  const unused: string[] = [];
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    const short = /^-([JoC46q])(.*)$/s.exec(word);
    if (short === null) {
      unused.push(word);
      continue;
    }
    const [, letter = '', rest = ''] = short;
    if (letter === '4') addressFamily ??= 'inet';
    if (letter === '6') addressFamily ??= 'inet6';
    if (letter !== 'J' && letter !== 'o') continue;
    const value = rest === '' ? (words[(at += 1)] ?? '') : rest;
    const [name, setting] = letter === 'J' ? ['proxyjump', value] : optionOf(value);
    const jumps = name === 'proxyjump' ? readJumps(setting) : name === 'proxycommand' ? jumpOf(setting) : null;
    if (jumps?.ok === true) proxyJump ??= jumps.value;
    else if (name === 'addressfamily' && isFamily(setting)) addressFamily ??= setting;
    else if (!indifferent.has(name)) unused.push(`-${letter} ${value}`);
  }
  return { ssh: { proxyJump, addressFamily }, unused };
}

/** `Name=value` or `Name value`. */
function optionOf(text: string): readonly [string, string] {
  const match = /^\s*([A-Za-z0-9]+)(?:\s*=\s*|\s+)(.*)$/s.exec(text);
  return [(match?.[1] ?? text).toLowerCase(), match?.[2] ?? ''];
}

function isFamily(text: string): text is 'any' | 'inet' | 'inet6' {
  return text === 'any' || text === 'inet' || text === 'inet6';
}

/** The bastion of a command that does no more than ProxyJump does; nothing is run. */
function jumpOf(command: string): ReturnType<typeof readJumps> | null {
  const [program, ...words] = splitWords(command) ?? [];
  if (program !== 'ssh') return null;
  let forwards = false;
  let port = '';
  let user = '';
  let host = '';
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    if (word === '-q' || word === '-a' || word === '-x' || word === '-T') continue;
    if (word === '-W') forwards = ['%h:%p', '[%h]:%p'].includes(words[(at += 1)] ?? '');
    else if (word === '-p') port = `:${words[(at += 1)] ?? ''}`;
    else if (word === '-l') user = `${words[(at += 1)] ?? ''}@`;
    else if (word.startsWith('-') || host !== '') return null;
    else host = word;
  }
  return forwards && host !== '' ? readJumps(`${host.includes('@') ? '' : user}${host}${port}`) : null;
}
