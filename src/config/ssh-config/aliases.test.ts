import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeKeyFiles } from '../../../test/config/key-files';
import type { Host } from '../../inventory/host';
import { formatFault } from '../fault';
import { loadConfig, type LoadResult } from '../load';

describe('an ssh_config that the configuration names', () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'reboot-exporter-aliases-'));
    writeKeyFiles(join(directory, 'keys'));
  });

  afterEach(() => rmSync(directory, { recursive: true }));

  /** Loads hosts with an ssh_config; by the lines of both. */
  function load(sshConfig: string, hosts: string, top = 'known_hosts: keys/known_hosts'): Promise<LoadResult> {
    writeFileSync(join(directory, 'ssh_config'), sshConfig);
    const config = `ssh: { config_file: ssh_config, ${top} }\nhosts:\n${hosts}\n`;
    writeFileSync(join(directory, 'config.yml'), config);
    return loadConfig(join(directory, 'config.yml'));
  }

  function told(result: LoadResult): string[] {
    const faults = result.ok ? [] : result.faults.map(formatFault);
    const warnings = result.warnings.map((warning) => `warning: ${formatFault(warning)}`);
    return [...faults, ...warnings].map((line) => line.replaceAll(`${directory}/`, ''));
  }

  async function good(sshConfig: string, hosts: string, top?: string): Promise<readonly Host[]> {
    const result = await load(sshConfig, hosts, top);
    expect(told(result)).toEqual([]);
    return result.ok ? result.config.hosts : [];
  }

  test('fills in what the configuration does not say', async () => {
    const [host] = await good(
      [
        'Host web-1',
        '  HostName 203.0.113.10',
        '  User deploy',
        '  Port 2222',
        '  IdentityFile keys/id_ed25519',
        '  HostKeyAlias web',
        '  AddressFamily inet',
        '  ConnectTimeout 1m5s',
        '  IdentityAgent SSH_AUTH_SOCK',
        '  UserKnownHostsFile keys/known_hosts',
        '  Ciphers aes256-ctr,chacha20-poly1305@openssh.com,3des-cbc',
        '  KexAlgorithms -ecdh-*',
        '  MACs ^hmac-sha2-512',
      ].join('\n'),
      '  - name: web-1',
      'sudo: auto',
    );
    expect(host).toMatchObject({
      name: 'web-1',
      address: '203.0.113.10',
      ssh: {
        user: 'deploy',
        port: 2222,
        identityFiles: [join(directory, 'keys/id_ed25519')],
        knownHosts: join(directory, 'keys/known_hosts'),
        identityAgent: 'SSH_AUTH_SOCK',
        hostKeyAlias: 'web',
        addressFamily: 'inet',
        connectTimeoutSeconds: 65,
        algorithms: { hostKey: null, ciphers: ['aes256-ctr', 'chacha20-poly1305@openssh.com'] },
      },
    });
    expect(host?.ssh.algorithms?.macs?.[0]).toBe('hmac-sha2-512');
    expect(host?.ssh.algorithms?.keyExchange?.some((name) => name.startsWith('ecdh-'))).toBe(false);
  });

  test('has no say where the configuration has spoken, at whichever level', async () => {
    const hosts = await good(
      'Host *\n  User file\n  Port 1\n  IdentityFile gone\n  UserKnownHostsFile gone\n',
      '  - { name: a, ssh: { user: own } }\n  - { name: b, ssh: { config_file: none } }',
      'user: top, port: 22, known_hosts: keys/known_hosts, identity_file: keys/id_ed25519',
    );
    expect(hosts.map(({ ssh }) => [ssh.user, ssh.port])).toEqual([
      ['own', 22],
      ['top', 22],
    ]);
  });

  test('is asked for the address, as ssh would be, and a host without an alias is as without the file', async () => {
    const hosts = await good(
      'Host 10.0.0.1\n  User file\n',
      '  - { name: a, address: 10.0.0.1 }\n  - { name: b, address: 10.0.0.2 }',
      'known_hosts: keys/known_hosts, identity_file: keys/id_ed25519',
    );
    expect(hosts.map(({ address, ssh }) => [address, ssh.user])).toEqual([
      ['10.0.0.1', 'file'],
      ['10.0.0.2', 'reboot-exporter'],
    ]);
  });

  test('leads by bastions that have their own way and login', async () => {
    const [host] = await good(
      [
        'Host web-*',
        '  ProxyJump inner',
        'Host inner',
        '  HostName 10.0.0.1',
        '  User gate',
        '  ProxyJump ops@outer:2022',
        'Host outer',
        '  HostName 203.0.113.1',
        '  Port 99',
      ].join('\n'),
      '  - name: web-1',
      'known_hosts: keys/known_hosts, identity_file: keys/id_ed25519',
    );
    const inner = host?.ssh.via;
    expect(inner).toMatchObject({ name: 'inner', address: '10.0.0.1', ssh: { user: 'gate', port: 22 } });
    expect(inner?.ssh.via).toMatchObject({
      name: 'outer',
      address: '203.0.113.1',
      ssh: { user: 'ops', port: 2022, via: null, identityFiles: [join(directory, 'keys/id_ed25519')] },
    });
  });

  test('is never a way to run a command', async () => {
    const witness = join(directory, 'witness');
    const result = await load(
      [
        `Match exec "touch ${witness}"`,
        '  User somebody',
        `Match originalhost web-1 exec "touch ${witness}"`,
        '  User somebody',
        `Match originalhost other !exec "touch ${witness}"`,
        '  User somebody',
        'Match localnetwork 10.0.0.0/8',
        '  User somebody',
        'Host web-1',
        '  CanonicalizeHostname yes',
        '  CanonicalDomains example.com',
        `  LocalCommand touch ${witness}`,
        '  PermitLocalCommand yes',
        `  KnownHostsCommand /usr/bin/touch ${witness}`,
      ].join('\n'),
      '  - name: web-1',
      'known_hosts: keys/known_hosts, identity_file: keys/id_ed25519',
    );
    expect(told(result)).toEqual([
      'warning: ssh_config:1:1: `Match exec` is not evaluated here, as nothing is run for it: its lines are left out',
      'warning: ssh_config:3:1: `Match exec` is not evaluated here, as nothing is run for it: its lines are left out',
      'warning: ssh_config:7:1: `Match localnetwork` is not evaluated here, as nothing is run for it: its lines are left out',
      'warning: ssh_config:10:1: CanonicalizeHostname is not done: names are looked up as they are',
      'warning: ssh_config:14:1: KnownHostsCommand is not obeyed here',
    ]);
    expect(result.ok && result.config.hosts[0]?.ssh.user).toBe('reboot-exporter');
    expect(existsSync(witness)).toBe(false);
  });

  test('whose way is a command is a fault, told once a line, unless the configuration has another way', async () => {
    const sshConfig = 'Host *.inside\n  ProxyCommand nc %h %p\n';
    const top = 'known_hosts: keys/known_hosts, identity_file: keys/id_ed25519';
    const hosts = '  - name: a.inside\n  - name: b.inside\n  - name: c';
    expect(told(await load(sshConfig, hosts, top))).toEqual([
      'ssh_config:2:1: `a.inside`: its way is a ProxyCommand, and commands are never run: use ProxyJump, or `proxy_jump` or `proxy` in the configuration',
    ]);
    for (const way of ['proxy_jump: none', 'proxy_jump: b1', 'proxy: "socks5://p"'])
      await good(sshConfig, hosts, `${top}, ${way}`);
  });

  test('does not make anything less strict', async () => {
    const result = await load(
      [
        'StrictHostKeyChecking no',
        'HostKeyAlgorithms +ssh-rsa',
        'KexAlgorithms curve25519-sha256,diffie-hellman-group1-sha1',
        'Ciphers +aes128-cbc',
      ].join('\n'),
      '  - name: a\n  - { name: old, ssh: { legacy_algorithms: [ssh-rsa, aes128-cbc] } }',
      'known_hosts: keys/known_hosts, identity_file: keys/id_ed25519',
    );
    expect(told(result)).toEqual([
      'warning: ssh_config:1:1: StrictHostKeyChecking is not obeyed: host keys are always checked strictly',
      'warning: ssh_config:2:1: ssh-rsa is offered only with `ssh: { legacy_algorithms: [ssh-rsa] }`',
      'warning: ssh_config:4:1: aes128-cbc is offered only with `ssh: { legacy_algorithms: [aes128-cbc] }`',
    ]);
    expect(result.ok && result.config.hosts[0]?.ssh.algorithms).toEqual({
      hostKey: null,
      keyExchange: ['curve25519-sha256'],
      ciphers: null,
      macs: null,
    });
  });

  test.each([
    ['Port 0', '`a`: `0` is no port: it is a number from 1 to 65535'],
    ['Port ssh', '`a`: `ssh` is no port: it is a number from 1 to 65535'],
    ['AddressFamily ipv4', '`a`: `ipv4` is no address family: any, inet or inet6'],
    ['ConnectTimeout soon', '`a`: `soon` is no time: write seconds'],
    ['HostName two words', null],
    ['HostName http://x', '`a`: `http://x` is a URL: write the address alone'],
    ['IdentityFile /k/%z', '`a`: `/k/%z` has the token `%z`, which is not known here'],
    ['IdentityFile ~other/k', '`a`: `~other/k` is the home folder of another user: write the whole path'],
    [
      'IdentityFile /k/${NOT_SET_ANYWHERE}',
      '`a`: `/k/${NOT_SET_ANYWHERE}` needs the variable NOT_SET_ANYWHERE, which is not set',
    ],
    ['ProxyJump b1:x', '`a`: `b1:x` is no bastion: write `host`, `user@host` or `user@host:port`'],
    [
      'RevokedHostKeys /k',
      '`a`: RevokedHostKeys is not read: mark the keys with `@revoked` in known_hosts, and remove the line',
    ],
    ['Ciphers 3des-cbc', '`a`: it leaves no algorithm that is used here'],
    [
      'Ciphers aes128-cbc',
      '`a`: it leaves no algorithm that is used here; `ssh: { legacy_algorithms: [aes128-cbc] }` opts into what it names',
    ],
    ['HostName "x', 'a quote is not closed'],
    ['HostName', '`HostName` is no line of an ssh_config: write a keyword and its argument'],
    ['Match originalhost', '`Match originalhost` needs a value'],
  ])('with the line %s', async (line, fault) => {
    const top = 'known_hosts: keys/known_hosts, user: u';
    const result = await load(`IdentityFile keys/id_ed25519\n${line}\n`, '  - name: a', top);
    const about = told(result).filter((one) => one.startsWith('ssh_config:2:'));
    expect(about).toEqual(fault === null ? [] : [`ssh_config:2:1: ${fault}`]);
    if (fault !== null) expect(result.ok).toBe(false);
  });

  test('has the files that it names checked, with its line', async () => {
    const result = await load(
      'Host a\n  IdentityFile gone\n  UserKnownHostsFile missing other\n',
      '  - name: a',
      'user: u',
    );
    expect(told(result)).toEqual([
      expect.stringMatching(/^ssh_config:2:1: IdentityFile: .*gone.* does not exist$/) as string,
      'ssh_config:3:1: UserKnownHostsFile: missing does not exist',
      'warning: ssh_config:3:1: of several known_hosts files the first is read; not other',
    ]);
  });

  test('that is missing is a fault of the configuration', async () => {
    writeFileSync(join(directory, 'config.yml'), 'ssh: { config_file: gone }\nhosts: []\n');
    expect(told(await loadConfig(join(directory, 'config.yml')))[0]).toBe(
      'config.yml:1:21: ssh.config_file: gone does not exist',
    );
  });

  test('is watched, with what it includes', async () => {
    mkdirSync(join(directory, 'conf.d'));
    writeFileSync(join(directory, 'conf.d/1'), 'User included\n');
    const include = `Include ${directory}/conf.d/*\nInclude ${directory}/maybe\n`;
    const top = 'known_hosts: keys/known_hosts, identity_file: keys/id_ed25519';
    const result = await load(include, '  - name: a', top);
    expect(result.ok && result.config.hosts[0]?.ssh.user).toBe('included');
    const watched = result.watch.files.map((file) => file.replace(`${directory}/`, ''));
    expect(watched).toEqual(['config.yml', 'ssh_config', 'conf.d/*', 'conf.d/1', 'maybe']);
  });

  test('that includes itself is a fault, not an end', async () => {
    const result = await load(`Include ${directory}/ssh_config\n`, '  - name: a');
    expect(told(result)[0]).toBe('ssh_config:1:1: more than 16 files include each other');
  });
});
