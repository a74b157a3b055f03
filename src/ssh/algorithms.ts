import type { Algorithms, CipherAlgorithm, KexAlgorithm, MacAlgorithm, ServerHostKeyAlgorithm } from 'ssh2';
import type { AlgorithmChoice, SshSettings } from '../inventory/host';
import { type HostKeyType, hostKeyTypes } from './host-key';

/**
 * What is offered in a handshake, cheapest first among the safe ones.
 *
 * - ECDH on nistp256 costs this process about half of what curve25519 does, which ssh2
 *   wraps in an SPKI encoding for each exchange.
 * - Finite-field exchanges run on this process's one thread for as long as the
 *   host's choice of group demands, and in group exchange ssh2 accepts any prime of any
 *   size. So only the smallest fixed group is left, for hosts that have nothing else.
 * - No SHA-1, no CBC, unless a host opted into them by name. No compression: a small packet could unfold into a large one.
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

/** What is added for the names that a host opted into, after all the others. */
const legacyKeyExchange: readonly KexAlgorithm[] = ['diffie-hellman-group14-sha1'];
const legacyHostKey: readonly ServerHostKeyAlgorithm[] = ['ssh-rsa'];
const legacyCiphers: readonly CipherAlgorithm[] = ['aes128-cbc', 'aes192-cbc', 'aes256-cbc'];
const legacyMacs: readonly MacAlgorithm[] = ['hmac-sha1-etm@openssh.com', 'hmac-sha1'];

/** All that can be offered, best first; what is `legacy` only where a host opted into it. */
export const permittedAlgorithms = {
  keyExchange: [...keyExchange, ...legacyKeyExchange],
  hostKey: [...hostKeyTypes.flatMap((type) => signatureAlgorithms[type]), ...legacyHostKey],
  ciphers: [...ciphers, ...legacyCiphers],
  macs: [...macs, ...legacyMacs],
} as const satisfies Readonly<Record<keyof AlgorithmChoice, readonly string[]>>;

/**
 * The algorithms to offer a host whose keys of these types are known, best first.
 * The other types follow: where the host has none of the known ones, its key is
 * still wanted to say which it was. Then come those that its settings opted into; where they name a list, that is all there is.
 */
export function offeredAlgorithms(
  knownTypes: readonly HostKeyType[],
  { legacyAlgorithms: legacy, algorithms: choice }: Pick<SshSettings, 'legacyAlgorithms' | 'algorithms'> = plain,
): Algorithms {
  const key =
    legacy.length === 0 && choice === null ? knownTypes.join(' ') : JSON.stringify([knownTypes, legacy, choice]);
  const offered = offeredByTypes.get(key) ?? offerFor(knownTypes, legacy, choice);
  offeredByTypes.set(key, offered);
  return offered;
}

/** Whether a host that is offered these may prove itself with SHA-1. */
export function offersSha1(offered: Algorithms): boolean {
  return Array.isArray(offered.serverHostKey) && offered.serverHostKey.includes('ssh-rsa');
}

const plain: Pick<SshSettings, 'legacyAlgorithms' | 'algorithms'> = { legacyAlgorithms: [], algorithms: null };

/** One object for each order of key types, and for each set of algorithms that a configuration names, of which there are few. */
const offeredByTypes = new Map<string, Algorithms>();

function offerFor(
  knownTypes: readonly HostKeyType[],
  legacy: readonly string[],
  choice: AlgorithmChoice | null,
): Algorithms {
  const types = [...knownTypes, ...hostKeyTypes.filter((type) => !knownTypes.includes(type))];
  const pick = <T extends string>(usual: readonly T[], old: readonly T[], chosen: readonly string[] | null): T[] => {
    const all = [...usual, ...old.filter((name) => legacy.includes(name))];
    const picked = chosen === null ? all : chosen.flatMap((name) => all.filter((one) => one === name));
    // ssh2 takes an empty list for its own, with all that is old in it. A host's may name certificates alone.
    return picked.length === 0 ? all : picked;
  };
  const hostKeys = types.flatMap((type) => signatureAlgorithms[type]);
  return {
    kex: pick(keyExchange, legacyKeyExchange, choice?.keyExchange ?? null),
    cipher: pick(ciphers, legacyCiphers, choice?.ciphers ?? null),
    hmac: pick(macs, legacyMacs, choice?.macs ?? null),
    compress: ['none'],
    serverHostKey: pick(hostKeys, legacyHostKey, choice?.hostKey ?? null),
  };
}
