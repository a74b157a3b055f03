import { offeredAlgorithms, offersSha1, permittedAlgorithms } from './algorithms';
import { isLegacyAlgorithm, legacyAlgorithms } from './legacy-algorithms';

const none = { keyExchange: null, hostKey: null, ciphers: null, macs: null };

function namesOf(offered: ReturnType<typeof offeredAlgorithms>): readonly unknown[] {
  return Object.values(offered).flat();
}

test('nothing old is offered to a host that did not opt into it', () => {
  const offered = offeredAlgorithms(['ssh-ed25519']);
  expect(namesOf(offered).some((name) => isLegacyAlgorithm(String(name)))).toBe(false);
  expect(namesOf(offered).some((name) => /sha1|cbc|md5|^ssh-rsa$/.test(String(name)))).toBe(false);
  expect(offersSha1(offered)).toBe(false);
});

test.each(legacyAlgorithms)(
  '%s is offered where it is opted into, last of its kind, and brings no other along',
  (name) => {
    const offered = offeredAlgorithms([], { legacyAlgorithms: [name], algorithms: null });
    const usual = offeredAlgorithms([]);
    expect(namesOf(offered).filter((one) => !namesOf(usual).includes(one))).toEqual([name]);
    expect(Object.values(offered).filter((list) => Array.isArray(list) && list.at(-1) === name)).toHaveLength(1);
    expect(offersSha1(offered)).toBe(name === 'ssh-rsa');
  },
);

test('what is legacy is all in the list of what can be permitted', () => {
  const permitted: readonly string[] = Object.values(permittedAlgorithms).flat();
  expect(legacyAlgorithms.filter((name) => !permitted.includes(name))).toEqual([]);
});

test('a list of a host is all that is offered, in its order, and lets in nothing that is not permitted', () => {
  const algorithms = { ...none, ciphers: ['aes256-ctr', 'aes128-cbc', '3des-cbc', 'aes128-gcm@openssh.com'] };
  const offered = offeredAlgorithms([], { legacyAlgorithms: [], algorithms });
  expect(offered.cipher).toEqual(['aes256-ctr', 'aes128-gcm@openssh.com']);
  expect(offered.kex).toEqual(offeredAlgorithms([]).kex);
  const old = offeredAlgorithms([], { legacyAlgorithms: ['aes128-cbc'], algorithms });
  expect(old.cipher).toEqual(['aes256-ctr', 'aes128-cbc', 'aes128-gcm@openssh.com']);
});

test('no list is empty, which ssh2 would take for its own', () => {
  const algorithms = { ...none, hostKey: ['ssh-ed25519-cert-v01@openssh.com'], macs: [] };
  const offered = offeredAlgorithms(['ssh-ed25519'], { legacyAlgorithms: [], algorithms });
  expect(offered).toEqual(offeredAlgorithms(['ssh-ed25519']));
});

test('hosts that are offered the same share the lists', () => {
  const settings = { legacyAlgorithms: ['ssh-rsa'], algorithms: null };
  expect(offeredAlgorithms(['ssh-rsa'], settings)).toBe(offeredAlgorithms(['ssh-rsa'], { ...settings }));
  expect(offeredAlgorithms(['ssh-rsa'])).toBe(offeredAlgorithms(['ssh-rsa']));
  expect(offeredAlgorithms(['ssh-rsa'])).not.toBe(offeredAlgorithms(['ssh-rsa'], settings));
});
