import type { Algorithms, CipherAlgorithm, KexAlgorithm, MacAlgorithm, ServerHostKeyAlgorithm } from 'ssh2';
import { type HostKeyType, hostKeyTypes } from './host-key';

/**
 * What is offered in a handshake, cheapest first among the safe ones.
 *
 * - ECDH on nistp256 costs this process about half of what curve25519 does, which ssh2
 *   wraps in an SPKI encoding for each exchange.
 * - Finite-field exchanges run on this process's one thread for as long as the
 *   host's choice of group demands, and in group exchange ssh2 accepts any prime of any
 *   size. So only the smallest fixed group is left, for hosts that have nothing else.
 * - No SHA-1, no CBC. No compression: a small packet could unfold into a large one.
 */
const keyExchange: KexAlgorithm[] = [
  'ecdh-sha2-nistp256',
  'curve25519-sha256',
  'curve25519-sha256@libssh.org',
  'ecdh-sha2-nistp384',
  'ecdh-sha2-nistp521',
  'diffie-hellman-group14-sha256',
];

const ciphers: CipherAlgorithm[] = [
  'aes128-gcm@openssh.com',
  'aes256-gcm@openssh.com',
  'chacha20-poly1305@openssh.com',
  'aes128-ctr',
  'aes192-ctr',
  'aes256-ctr',
];

const macs: MacAlgorithm[] = [
  'hmac-sha2-256-etm@openssh.com',
  'hmac-sha2-512-etm@openssh.com',
  'hmac-sha2-256',
  'hmac-sha2-512',
];

const signatureAlgorithms: Readonly<Record<HostKeyType, readonly ServerHostKeyAlgorithm[]>> = {
  'ssh-ed25519': ['ssh-ed25519'],
  'ecdsa-sha2-nistp256': ['ecdsa-sha2-nistp256'],
  'ecdsa-sha2-nistp384': ['ecdsa-sha2-nistp384'],
  'ecdsa-sha2-nistp521': ['ecdsa-sha2-nistp521'],
  'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256'],
};

/**
 * The algorithms to offer a host whose keys of these types are known, best first.
 * The other types follow: where the host has none of the known ones, its key is
 * still wanted to say which it was.
 */
export function offeredAlgorithms(knownTypes: readonly HostKeyType[]): Algorithms {
  const key = knownTypes.join(' ');
  const offered = offeredByTypes.get(key) ?? offerFor(knownTypes);
  offeredByTypes.set(key, offered);
  return offered;
}

/** One object for each order of key types, of which there are few. */
const offeredByTypes = new Map<string, Algorithms>();

function offerFor(knownTypes: readonly HostKeyType[]): Algorithms {
  const types = [...knownTypes, ...hostKeyTypes.filter((type) => !knownTypes.includes(type))];
  return {
    kex: keyExchange,
    cipher: ciphers,
    hmac: macs,
    compress: ['none'],
    serverHostKey: types.flatMap((type) => signatureAlgorithms[type]),
  };
}
