import { generateKeyPairSync } from 'node:crypto';
import { parsePublicLine } from '../../src/ssh/certificate';
import { distrustOf } from '../../src/ssh/host-trust';
import { hostNames, KnownHosts } from '../../src/ssh/known-hosts';
import { PrivateKey } from '../../src/ssh/private-key';
import { strings } from '../../src/ssh/wire';
import { certificateOf } from '../ssh/certificate-maker';
import { piecesOf } from './generated';
import type { Target } from './target';

const by = generateKeyPairSync('ed25519').privateKey;
const { type, blob } = new PrivateKey(by);
const knownHosts = KnownHosts.parse(`@cert-authority * ${type} ${blob.toString('base64')}\n`);
const names = hostNames({ name: 'web-1', address: '203.0.113.10', port: 22 });

const good = certificateOf({ by, usage: 2, principals: ['web-1'], critical: Buffer.alloc(0) });
const others = [
  certificateOf({ by, usage: 1, principals: ['web-1'] }),
  certificateOf({ by, usage: 2, principals: ['web-2', 'web-*'] }),
  certificateOf({ by, usage: 2, validBefore: 120n }),
  certificateOf({ usage: 2 }),
  certificateOf({
    by,
    usage: 2,
    key: new PrivateKey(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey),
    critical: strings('force-command', strings('x')),
  }),
];

/** What a host presents in place of a key: only the one that its authority signed for it may be trusted. */
export const certificate: Target = {
  name: 'certificate',
  share: 4,
  corpus: [good, ...others],
  generated: piecesOf([
    ...['\0\0\0\x20ssh-ed25519-cert-v01@openssh.com', '\0\0\0\x1cssh-rsa-cert-v01@openssh.com', '\0\0\0\x05web-1'],
    ...['\0\0\0\0', '\0\0\0\x01', '\0\0\0\x02', '\xff\xff\xff\xff', '\0\0\0\x0bssh-ed25519', '\0\0\0\x20'],
  ]),
  take(input) {
    const distrust = distrustOf(input.toString('base64'), { names, knownHosts, nowSeconds: 150, again: false });
    if ((distrust === null) !== input.equals(good)) throw new Error('a certificate is trusted that was not signed');
    if ((distrust?.why?.length ?? 0) > 400) throw new Error('too many words');
    parsePublicLine(input.toString('latin1'));
  },
};
