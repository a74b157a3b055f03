import { utils } from 'ssh2';
import { secretKey } from '../secrets/seen';
import type { HostKeyType } from './host-spec';

/** A key pair in OpenSSH's formats. */
export interface SshKeyPair {
  readonly privateKey: string;
  /** `ssh-ed25519 AAAA…`, without a comment. */
  readonly publicKey: string;
}

/** Length of an ed25519 public key as RFC 8709 section 4 encodes it: two length fields, the name, 32 bytes. */
const ed25519BlobBytes = 51;

/** Makes a key pair. ed25519 takes a fifth of a millisecond, RSA hundreds. */
export function makeKeyPair(type: HostKeyType): SshKeyPair {
  for (;;) {
    const made = generate(type);
    const [algorithm = '', blob = ''] = made.public.split(' ');
    // ssh2 1.17 cuts leading zero bytes off, so one ed25519 key in some hundreds is malformed.
    if (type !== 'ed25519' || Buffer.from(blob, 'base64').length === ed25519BlobBytes) {
      return { privateKey: secretKey(made.private), publicKey: `${algorithm} ${blob}` };
    }
  }
}

function generate(type: HostKeyType): { readonly private: string; readonly public: string } {
  switch (type) {
    case 'ed25519':
      return utils.generateKeyPairSync('ed25519');
    case 'ecdsa':
      return utils.generateKeyPairSync('ecdsa', { bits: 256 });
    case 'rsa':
      return utils.generateKeyPairSync('rsa', { bits: 2048 });
  }
}

/** A line of known_hosts for these names and addresses; other ports than 22 are written `[name]:port`, sshd(8). */
export function knownHostsLine(names: readonly string[], port: number, publicKey: string): string {
  const written = names.map((name) => (port === 22 ? name : `[${name}]:${port}`));
  return `${written.join(',')} ${publicKey}\n`;
}
