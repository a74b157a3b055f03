import { createPrivateKey, type KeyObject } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import { utils } from 'ssh2';

/** What unlock.ts hands over: the content of a key file and the passphrase, both copies of its own. */
export interface UnlockQuestion {
  readonly key: Uint8Array;
  readonly passphrase: Uint8Array;
}

/** The key, or why it can't be had; the words hold nothing of key or passphrase. */
export type UnlockAnswer = KeyObject | string;

const wrong = 'the passphrase does not open it';

function open({ key, passphrase }: UnlockQuestion): UnlockAnswer {
  const secret = Buffer.from(passphrase.buffer, passphrase.byteOffset, passphrase.byteLength);
  const text = Buffer.from(key).toString('latin1');
  try {
    if (!text.includes('BEGIN OPENSSH PRIVATE KEY')) return createPrivateKey({ key: text, passphrase: secret });
    const parsed = utils.parseKey(text.trim(), secret);
    if (parsed instanceof Error) return fault(parsed);
    const pem = parsed.getPrivatePEM();
    return pem === null ? 'it holds no private key' : createPrivateKey(pem);
  } catch (error) {
    return fault(error);
  } finally {
    secret.fill(0);
  }
}

/** OpenSSL's and ssh2's own words may quote the input, so only what they are about goes further. */
function fault(error: unknown): string {
  const { message = '', code = '' } = error as { message?: string; code?: string };
  const unsupported = /^(Unsupported (cipher|kdf name) for OpenSSH key)/.exec(message)?.[1];
  if (unsupported !== undefined) return `its encryption is not supported: write it anew with ssh-keygen -p`;
  if (message.includes('bad passphrase') || /BAD_DECRYPT|bad decrypt/.test(`${code} ${message}`)) return wrong;
  return `${wrong}, or it is damaged`;
}

parentPort?.postMessage(open(workerData as UnlockQuestion));
