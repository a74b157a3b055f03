import { permittedAlgorithms } from '../../ssh/algorithms';
import { isLegacyAlgorithm } from '../../ssh/legacy-algorithms';
import { readAlgorithmList } from './algorithm-list';

const usual = permittedAlgorithms.ciphers.filter((name) => !isLegacyAlgorithm(name));

test.each<[string, readonly string[] | null]>([
  ['aes256-ctr,3des-cbc,aes128-ctr', ['aes256-ctr', 'aes128-ctr']],
  ['+3des-cbc', null],
  ['^aes256-ctr,3des-cbc', ['aes256-ctr', ...usual.filter((name) => name !== 'aes256-ctr')]],
  ['-aes*', ['chacha20-poly1305@openssh.com']],
  ['3des-cbc', []],
])('Ciphers %s', (written, names) => {
  expect(readAlgorithmList('ciphers', written, [])).toEqual({ names, notOptedInto: [] });
});

test('what is old is told of where it makes a difference, and taken where it was opted into', () => {
  expect(readAlgorithmList('ciphers', '+aes128-cbc', [])).toEqual({ names: null, notOptedInto: ['aes128-cbc'] });
  expect(readAlgorithmList('ciphers', 'aes128-cbc', [])).toEqual({ names: [], notOptedInto: ['aes128-cbc'] });
  expect(readAlgorithmList('ciphers', 'aes128-cbc,aes128-ctr', []).notOptedInto).toEqual([]);
  expect(readAlgorithmList('ciphers', 'aes128-cbc', ['aes128-cbc'])).toEqual({
    names: ['aes128-cbc'],
    notOptedInto: [],
  });
});

test('certificates are among the ways in which a host proves itself', () => {
  const written = 'ssh-ed25519-cert-v01@openssh.com,ssh-ed25519,ssh-dss';
  expect(readAlgorithmList('hostKey', written, []).names).toEqual(written.split(',').slice(0, 2));
  expect(readAlgorithmList('ciphers', 'ssh-ed25519', []).names).toEqual([]);
});
