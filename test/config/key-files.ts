import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Writes key files into a folder, made for this run: a repository is no place for private keys, and git keeps no permissions. */
export function writeKeyFiles(folder: string): void {
  mkdirSync(folder, { recursive: true });
  const first = keyPair();
  const other = keyPair();
  write(folder, 'id_ed25519', first.privateKey, 0o600);
  write(folder, 'id_ed25519.pub', `${first.publicKey} somebody\n`, 0o600);
  write(folder, 'id_other', other.privateKey, 0o600);
  write(folder, 'known_hosts', `web-1 ${other.publicKey}\n`, 0o644);
  write(folder, 'refresh-token', 'a-token\n', 0o600);
  write(folder, 'open-token', 'a-token\n', 0o644);
  write(folder, 'two-lines', 'one\ntwo\n', 0o600);
  write(folder, 'empty', '', 0o600);
}

function write(folder: string, name: string, text: string, mode: number): void {
  const path = join(folder, name);
  writeFileSync(path, text);
  chmodSync(path, mode);
}

/** An ed25519 pair; the public key as a line of known_hosts or authorized_keys has it (RFC 8709). */
function keyPair(): { privateKey: string; publicKey: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  // The raw key is the last 32 bytes of the DER form (RFC 8410).
  const raw = publicKey.export({ type: 'spki', format: 'der' }).subarray(-32);
  const blob = Buffer.concat([sized(Buffer.from('ssh-ed25519')), sized(raw)]).toString('base64');
  return { privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), publicKey: `ssh-ed25519 ${blob}` };
}

function sized(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
