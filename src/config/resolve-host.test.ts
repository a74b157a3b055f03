import { defaultSsh, resolveSsh, sshOverrides } from './resolve-host';

const read = (input: Parameters<typeof sshOverrides>[1]): ReturnType<typeof sshOverrides> =>
  sshOverrides('/etc/r.yml', input);

describe('how to log in', () => {
  test('is by one key and no agent where nothing is said', () => {
    expect(resolveSsh([])).toEqual(defaultSsh);
    expect(resolveSsh([read({ identity_agent: 'none' })]).identityFiles).toEqual(defaultSsh.identityFiles);
  });

  test("is by the agent's keys where an agent is given and no key", () => {
    expect(resolveSsh([read({ identity_agent: 'SSH_AUTH_SOCK' })])).toMatchObject({
      identityAgent: 'SSH_AUTH_SOCK',
      identityFiles: [],
    });
    expect(resolveSsh([read({ identity_agent: 'agent.sock' }), read({ identity_file: 'k.pub' })])).toMatchObject({
      identityAgent: '/etc/agent.sock',
      identityFiles: ['/etc/k.pub'],
    });
    expect(resolveSsh([read({ identity_agent: '$AGENT' })]).identityAgent).toBe('$AGENT');
  });

  test('is overridden by a host, also to no agent', () => {
    const top = read({ identity_agent: '/a', passphrase_file: 'top', certificate_file: 'c' });
    expect(resolveSsh([read({ identity_agent: 'none', passphrase_file: 'own' }), top])).toMatchObject({
      identityAgent: null,
      passphraseFile: '/etc/own',
      certificateFiles: ['/etc/c'],
    });
  });
});
