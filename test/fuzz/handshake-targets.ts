import { ProbeFailure } from '../../src/failure';
import { offeredAlgorithms } from '../../src/ssh/algorithms';
import { isSignedBy } from '../../src/ssh/signature';
import { unmatched } from '../../src/ssh/unmatched';
import { makeKeyPair } from '../lab/ssh-keys';
import { piecesOf } from './generated';
import type { Target } from './target';

const types = ['ed25519', 'ecdsa', 'rsa'] as const;
const publicKeys = types.map((type) => makeKeyPair(type).publicKey);
const blobs = publicKeys.map((line) => Buffer.from(line.split(' ')[1] ?? '', 'base64'));

const data = Buffer.from('what is signed');

const signature: Target = {
  name: 'signature',
  share: 2,
  corpus: [
    Buffer.concat([
      Buffer.from([0, 0, 0, 11]),
      Buffer.from('ssh-ed25519'),
      Buffer.from([0, 0, 0, 64]),
      Buffer.alloc(64, 7),
    ]),
    ...blobs,
  ],
  generated: piecesOf(
    ['\0\0\0\u000bssh-ed25519', '\0\0\0\u000crsa-sha2-512', '\0\0\0@', '\0\0\u0001\0', '\u0001'.repeat(64)],
    12,
  ),
  take(input, random) {
    if (isSignedBy(random.oneOf(blobs), data, input)) throw new Error('a signature that nobody made is good');
    isSignedBy(input, data, random.oneOf(blobs));
  },
};

const lists = [
  'diffie-hellman-group14-sha1',
  'ssh-rsa',
  'aes128-cbc',
  'aes128-cbc',
  'hmac-sha1',
  'hmac-sha1',
  'none',
  'none',
  '',
  '',
];
const fields = lists.flatMap((list) => [Buffer.from([0, 0, 0, list.length]), Buffer.from(list)]);
const offer = Buffer.concat([
  Buffer.from('SSH-2.0-old\r\n'),
  Buffer.from([0, 0, 0, 200, 4, 20]),
  Buffer.alloc(16),
  ...fields,
  Buffer.alloc(9),
]);

/** What a host offers of algorithms, where there are none in common: the message names what it would take. */
const offers: Target = {
  name: 'algorithms',
  share: 2,
  corpus: [offer],
  generated: piecesOf(
    ['SSH-2.0-x\r\n', '\0\0\0\u00c8\u0004\u0014', '\0'.repeat(16), '\0\0\0\u0007ssh-rsa', '\0\0\0\naes128-cbc', ','],
    20,
  ),
  take(input) {
    const failure = unmatched('web-1:22', new Error('Handshake failed: no matching x'), offeredAlgorithms([]), input);
    if (!(failure instanceof ProbeFailure) || failure.reason !== 'protocol') throw new Error('another failure');
    if (!/^[\x20-\x7e…]*$/.test(failure.message) || failure.message.length > 2000)
      throw new Error(`it says ${failure.message}`);
  },
};

/** Everything that reads what hosts send before they are trusted. */
export const handshakeTargets: readonly Target[] = [signature, offers];
