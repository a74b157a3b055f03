import { statSync } from 'node:fs';
import { utils } from 'ssh2';
import { decodeText, readBytes, readTextFile } from './text-file';
import { right, wrong, type Reading } from './reading';

/** OpenSSH's largest key file is far below this; see MAX_KEY_FILE_SIZE in its authfile.c. */
const maxKeyBytes = 1024 * 1024;
const maxKnownHostsBytes = 64 * 1024 * 1024;
const maxTokenBytes = 64 * 1024;

/** What checking a file gives beside its being good: something worth a look, or `null`. */
type Check = Reading<string | null>;

/** Whether a path holds a private key that can be used. Nothing of the key gets into a message. */
export function checkIdentityFile(path: string): Check {
  const bytes = readBytes(path, maxKeyBytes);
  if (!bytes.ok) return bytes;
  if (bytes.value.length === 0) return wrong('is empty: it must hold a private key');
  const text = decodeText(bytes.value);
  if (!text.ok) return wrong('holds no private key');
  if (/^(ssh-|ecdsa-|sk-)\S+ +AAAA/.test(text.value))
    return wrong('is a public key: name the private one, which has no `.pub` at its end');
  if (!/^-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----|^PuTTY-User-Key-File-/m.test(text.value))
    return wrong('holds no private key');
  const parsed = utils.parseKey(bytes.value);
  if (parsed instanceof Error) {
    if (/passphrase/i.test(parsed.message)) return wrong('is encrypted: a key without a passphrase is needed');
    return wrong('holds a private key that is damaged or of an unknown kind');
  }
  return right(tooOpen(path, 'a private key'));
}

/** Whether a path holds a readable known_hosts file. */
export function checkKnownHosts(path: string): Check {
  const text = readTextFile(path, maxKnownHostsBytes);
  if (!text.ok) return text;
  const hasKey = text.value.split('\n').some((entry) => /^[^#\s]/.test(entry.trim()));
  return right(
    hasKey ? null : 'holds no key: every host will be refused; add keys with `ssh-keyscan` after checking them',
  );
}

/** Whether a path holds a token: one line that is not empty. */
export function checkTokenFile(path: string): Check {
  const text = readTextFile(path, maxTokenBytes);
  if (!text.ok) return text;
  const token = text.value.trim();
  if (token === '') return wrong('is empty: it must hold the token');
  if (/\s/.test(token)) return wrong('must hold one token on one line');
  return right(tooOpen(path, 'a secret'));
}

/** OpenSSH's own rule (sshkey_perm_ok in authfile.c): what one owns oneself must be closed to others. */
function tooOpen(path: string, what: string): string | null {
  const { mode, uid } = statSync(path);
  if (process.getuid === undefined || uid !== process.getuid() || (mode & 0o077) === 0) return null;
  return `can be read by others, but holds ${what}: \`chmod 600\` it`;
}
