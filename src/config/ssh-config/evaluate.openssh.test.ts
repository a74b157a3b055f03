import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { hostname, tmpdir, userInfo } from 'node:os';
import { join, normalize } from 'node:path';
import { readJumps } from '../../inventory/jump';
import { FileMemory } from '../file-memory';
import { SshConfigAliases } from './aliases';
import { evaluate, type Settled } from './evaluate';
import { readRuleBook } from './rules';

/** ssh's own word for an option, and whether it has several arguments. */
const compared = {
  port: 'first',
  user: 'first',
  addressfamily: 'first',
  connecttimeout: 'first',
  hostkeyalias: 'first',
  identityagent: 'first',
  identitiesonly: 'first',
  proxycommand: 'rest',
  proxyjump: 'jumps',
  userknownhostsfile: 'words',
  globalknownhostsfile: 'words',
  identityfile: 'lines',
  certificatefile: 'lines',
} as const;

const { username } = userInfo();

const cases: readonly { readonly title: string; readonly config: string; readonly hosts: readonly string[] }[] = [
  {
    title: 'the usual options',
    config: `
# a comment
Host web-1
  HostName 203.0.113.10
  User deploy
  Port 2222
  IdentityFile ~/.ssh/id_web
  IdentityFile /etc/keys/%h
  IdentitiesOnly yes
  CertificateFile ~/.ssh/id_web-cert.pub
  IdentityAgent /run/agent
  UserKnownHostsFile /known_a /known_b
  GlobalKnownHostsFile /etc/known
  HostKeyAlias web
  AddressFamily inet6
  ConnectTimeout 7
  ProxyJump ops@b1:2022,b2
Host *
  User other
  Port 22
`,
    hosts: ['web-1', 'web-2', 'WEB-1'],
  },
  {
    title: 'the first value, and all identities',
    config: `
IdentityFile /k0
Host a*
  Port 1000
  IdentityFile /k1
Host *
  Port 2000
  IdentityFile /k0
  IdentityFile /k2
`,
    hosts: ['a1', 'b1'],
  },
  {
    title: 'patterns and negation',
    config: `
Host *.example.com !secret.example.com
  User inside
Host web-? db-??
  User counted
Host !x
  User never
Host 10.0.*.1 "quoted" a=b
  User numbers
Host * !other
  Port 99
`,
    hosts: ['w.example.com', 'secret.example.com', 'web-1', 'web-12', 'db-01', 'x', 'y', '10.0.7.1', 'quoted', 'other'],
  },
  {
    title: 'forms of lines',
    config: [
      'Host=one',
      'Port = 1111',
      '\tUser="quoted user"',
      'Host two # comment',
      '  HostName two.example # comment',
      "  IdentityFile '/single quoted' ",
      '  identityfile "/with # hash"',
      '  IDENTITYFILE /with#hash',
      '  IdentityFile /with\\ space',
      '  IdentityFile "/with \\"quote\\""',
      '  ProxyJump none',
      'Host three\r',
      '  Port 3\r',
      '  ProxyCommand "/bin/nc" %h %p # all of it',
    ].join('\n'),
    hosts: ['one', 'two', 'three'],
  },
  {
    title: 'names that are put together',
    config: `
Host w-*
  HostName %h.Example.COM
Host 100%
  HostName %%x
`,
    hosts: ['w-1', 'W-1', 'w-A'],
  },
  {
    title: 'Match by host, original host and user',
    config: `
Host alias
  HostName real.example.com
  User deploy
Match host real.example.com
  Port 1
Match originalhost alias user deploy
  AddressFamily inet
Match user other,deploy,!nobody
  ConnectTimeout 9
Match !host real.example.com
  ConnectTimeout 10
Match localuser ${username} originalhost="*.net,alias"
  HostKeyAlias local
Match host=nowhere
  HostKeyAlias nowhere
Match user nobody,!deploy
  IdentityFile /nobody
Match all
  IdentityFile /all
`,
    hosts: ['alias', 'real.example.com', 'x.net', 'REAL.example.com'],
  },
  {
    title: 'a final pass',
    config: `
Host short
  HostName long.example.com
Match final host long.example.com
  User final
  IdentityFile /final
Host long.example.com
  Port 44
  IdentityFile /long
Match final all
  IdentityAgent none
Match canonical host long.example.com
  ConnectTimeout 3
`,
    hosts: ['short', 'long.example.com', 'else'],
  },
  {
    title: 'that a final pass comes too late for the name',
    config: `
Match final originalhost a
  HostName late.example.com
  Port 5
`,
    hosts: ['a', 'b'],
  },
  {
    title: 'jump or command, whichever is first',
    config: `
Host a
  ProxyJump b1
  ProxyCommand nc %h %p
Host b
  ProxyCommand nc %h %p
  ProxyJump b1
Host c
  ProxyCommand none
  ProxyJump b1
Host d
  ProxyJump none
  ProxyCommand nc %h %p
Host e
  ProxyJump ops@[2001:db8::1]:2222,192.0.2.1
Host f
  ProxyJump NONE
  ProxyJump b1
Host g
  ProxyJump none
  ProxyCommand none
  ProxyCommand nc %h %p
`,
    hosts: ['a', 'b', 'c', 'd', 'e', 'f', 'g'],
  },
  {
    title: 'what is included, where it stands',
    config: `
Host a
  Include DIR/conf.d/*.conf DIR/missing
  Port 7
Include DIR/top
Host b
  Include DIR/conf.d/1?.conf
Host *
  User last
`,
    hosts: ['a', 'b', 'inner', 'top', 'c'],
  },
];

const included: Readonly<Record<string, string>> = {
  'conf.d/10-one.conf': 'IdentityFile /one\nHost inner\n  Port 1\nHost a\n  ConnectTimeout 4\n',
  'conf.d/20-two.conf': 'IdentityFile /two\nPort 20\nMatch host b\n  ConnectTimeout 5\n',
  'conf.d/.hidden.conf': 'IdentityFile /hidden\n',
  'conf.d/1x.conf': 'IdentityFile /1x\n',
  top: 'Host top\n  User top\n  Include DIR/deeper\nHost *\n  HostKeyAlias included\n',
  deeper: 'Port 8\nHost c\n  Port 9\n',
};

const describeWithSsh = existsSync('/usr/bin/ssh') ? describe : describe.skip;

describeWithSsh('an ssh_config means what it means to ssh:', () => {
  let directory: string;
  let base: ReadonlyMap<string, readonly string[]>;

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'reboot-exporter-ssh-config-'));
    mkdirSync(join(directory, 'conf.d'));
    for (const [name, text] of Object.entries(included))
      writeFileSync(join(directory, name), text.replaceAll('DIR', directory));
    base = ask('none', 'anybody');
  });

  afterAll(() => rmSync(directory, { recursive: true }));

  test.each(cases)('$title', ({ config, hosts }) => {
    const file = join(directory, 'config');
    writeFileSync(file, config.replaceAll('DIR', directory));
    const book = readRuleBook(file, new FileMemory());
    expect(book.faults).toEqual([]);
    for (const host of hosts) {
      const known = { host, user: null, hasWay: false, defaultUser: username, localUser: username };
      const settled = evaluate(book, known);
      const theirs = ask(file, host);
      const ours = { host, hostname: [settled.hostName], ...pick(settled, theirs) };
      const others = Object.fromEntries(keys.map((key) => [key, normal(key, theirs.get(key))]));
      expect(ours).toEqual({ host, hostname: theirs.get('hostname'), ...others });
    }
  });

  test('paths have their tokens replaced as ssh does', async () => {
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const { port } = server.address() as AddressInfo;
    const file = join(directory, 'tokens');
    const paths = ['%%', '%C', '%d', '%h', '%i', '%k', '%L', '%l', '%n', '%p', '%r', '%u', '${PATH_PART}'];
    const identities = paths.map((token) => `  IdentityFile /t/${token}/x`).join('\n');
    writeFileSync(
      file,
      `Host Tok\n  HostName 127.0.0.1\n  Port ${port}\n  User deploy\n${identities}\n  IdentityFile ~/t\n`,
    );
    // Not spawnSync, as it is this process that ssh connects to.
    const environment = { ...process.env, PATH_PART: 'a/b' };
    const said = await new Promise<string>((resolve) => {
      const child = spawn('ssh', ['-v', '-F', file, '-o', 'BatchMode=yes', 'Tok'], { env: environment });
      let text = '';
      child.stderr.on('data', (piece: Buffer) => (text += piece.toString()));
      child.on('close', () => resolve(text));
    });
    server.close();
    const theirs = [...said.matchAll(/identity file (.*) type/g)].flatMap(([, path]) => path ?? []);
    const { homedir, uid } = userInfo();
    const local = { user: username, userId: uid, home: homedir, hostName: hostname(), environment };
    const aliases = new SshConfigAliases(new FileMemory(), 'reboot-exporter', local);
    const answer = aliases.lookUp(file, 'Tok', {});
    expect(answer.ssh.identityFiles).toEqual(theirs.filter((path) => !path.endsWith('-cert')).map(normalize));
    expect(answer.ssh.identityFiles).toHaveLength(paths.length + 1);
  });

  /** What ssh makes of it. */
  function ask(file: string, host: string): Map<string, readonly string[]> {
    const asked = spawnSync('ssh', ['-G', '-F', file, host], { encoding: 'utf8' });
    if (asked.status !== 0) throw new Error(asked.stderr);
    const answers = new Map<string, readonly string[]>();
    for (const line of asked.stdout.trim().split('\n')) {
      const space = line.indexOf(' ');
      const key = line.slice(0, space);
      answers.set(key, [...(answers.get(key) ?? []), line.slice(space + 1)]);
    }
    return answers;
  }

  /** Ours as ssh prints it; what we say nothing of is what ssh says without a file. */
  function pick({ options }: Settled, theirs: ReadonlyMap<string, readonly string[]>): Record<string, unknown> {
    return Object.fromEntries(
      keys.map((key) => {
        const lines = options.get(key);
        if (lines === undefined) return [key, normal(key, key === 'user' ? [username] : base.get(key))];
        const [first] = lines;
        const how = compared[key];
        if (how === 'lines') return [key, lines.map(({ words }) => words[0])];
        if (how === 'words') return [key, [first?.words.join(' ')]];
        if (how === 'first') return [key, [first?.words[0]]];
        // ssh prints nothing of a way that is none.
        const isNone = first?.words[0]?.toLowerCase() === 'none';
        return [key, isNone ? undefined : (normal(key, [first?.rest ?? '']) ?? theirs.get(key))];
      }),
    );
  }

  function normal(key: keyof typeof compared, values: readonly string[] | undefined): unknown {
    if (values === undefined || compared[key] !== 'jumps') return values;
    return values.map((value) => readJumps(value));
  }

  const keys = Object.keys(compared) as (keyof typeof compared)[];
});

test('ssh is there in CI', () => {
  if (process.env['CI'] === 'true') expect(execFileSync('ssh', ['-V'], { stdio: 'pipe' })).toBeDefined();
});
