import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readJsonText } from '../../src/config/json-text';
import { checkSchema } from '../../src/config/schema-faults';
import { configSchema } from '../../src/config/schema';
import { readHostLine, readMatchLine } from '../../src/config/ssh-config/conditions';
import { readLines } from '../../src/config/ssh-config/lines';
import { expandTokens, expandVariables } from '../../src/config/ssh-config/words';
import { readYamlText } from '../../src/config/yaml-text';
import { hostsOfAnsible } from '../../src/inventory/ansible/hosts';
import { readAnsibleIni } from '../../src/inventory/ansible/ini';
import { AnsibleInventory } from '../../src/inventory/ansible/inventory';
import { readAnsibleYaml } from '../../src/inventory/ansible/yaml';
import { readTargetGroups } from '../../src/inventory/target-groups';
import { parseMemory } from '../../src/memory/memory-text';
import { acceptsGzip, negotiateFormat } from '../../src/metrics/negotiation';
import { hostNames, KnownHosts } from '../../src/ssh/known-hosts';
import { PrivateKey, PrivateKeyFault } from '../../src/ssh/private-key';
import { basicCredentialsOf } from '../../src/web/access/basic-credentials';
import { makeKeyPair } from '../lab/ssh-keys';
import { certificate } from './certificate-target';
import { piecesOf } from './generated';
import type { Target } from './target';

const settingsFolder = join(__dirname, '../config');

function filesOf(folder: string, pattern: RegExp): Buffer[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && pattern.test(entry.name))
    .map((entry) => readFileSync(join(folder, entry.name)));
}

const yamlWords = [
  ...[
    'hosts:\n',
    '  - name: web-1\n',
    '    address: 203.0.113.10\n',
    '    labels: { team: web }\n',
    'probe:\n',
    '  interval: 5m\n',
  ],
  ...[
    '  schedule: "*/5 * * * *"\n',
    'ssh:\n',
    '  user: x\n',
    '  port: 22\n',
    'policy:\n',
    '  exposed: { warning_after: 3d }\n',
    'stacks:\n',
  ],
  ...[
    '  shop:\n',
    '    maintenance_window: { cron: "0 2 * * 0", duration: 3h, timezone: Europe/London }\n',
    '- targets: [a:22, b]\n',
  ],
  ...[
    '  labels: { stack: shop }\n',
    '&a [*a]',
    '<<: *a\n',
    '!!binary x',
    '|\n',
    '>-\n',
    '---\n',
    '? ',
    '\t',
    '%YAML 1.2\n',
  ],
];

const knownHostsKey = makeKeyPair('ed25519').publicKey;
const keyOf = makeKeyPair('ecdsa').publicKey;
const names = hostNames({ name: 'web-1', address: '203.0.113.10', port: 2222 });

const knownHosts: Target = {
  name: 'known_hosts',
  share: 8,
  corpus: [
    Buffer.from(
      `# hosts\nweb-1,203.0.113.10 ${knownHostsKey} comment\n[web-1]:2222 ${keyOf}\n*.example.com,!bad.example.com ${keyOf}\n`,
    ),
    Buffer.from(`|1|F1E1KeoE/eEWhi10WpGv4OdiO6Y=|3988QV0VE8wmZL7suNrYQLITLCg= ${knownHostsKey}\n@revoked * ${keyOf}\n`),
    Buffer.from(`@cert-authority *.example.com ${keyOf}\r\nweb-?.x ${knownHostsKey}\n`),
  ],
  generated: piecesOf([
    ...[' ', ',', '*', '?', '!', '[web-1]:2222 ', 'web-1 ', '@revoked ', '@cert-authority ', '|1|'],
    ...['=|', `${keyOf}\n`, knownHostsKey, 'ssh-ed25519 ', 'AAAA', '\n', '#'],
  ]),
  take(input) {
    const parsed = KnownHosts.parse(input.toString('utf8'));
    parsed.keyTypes(names);
    const blob = keyOf.split(' ')[1] ?? '';
    // A key that the input does not hold can not be accepted; its padding may be left out.
    if (!input.includes(blob.slice(-60, -4)) && parsed.verify(names, blob) === 'match')
      throw new Error('a key that is not there matches');
    const search = parsed.search(names);
    while (search.next().done !== true);
  },
};

const privateKeys = [
  ...(['ed25519', 'ecdsa', 'rsa'] as const).map((type) => makeKeyPair(type).privateKey),
  knownHostsKey,
].map((text) => Buffer.from(text));

const privateKey: Target = {
  name: 'private key',
  share: 4,
  corpus: privateKeys,
  generated: piecesOf([
    ...[
      '-----BEGIN OPENSSH PRIVATE KEY-----\n',
      '-----END OPENSSH PRIVATE KEY-----\n',
      '-----BEGIN RSA PRIVATE KEY-----\n',
    ],
    ...[
      'b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW',
      'Proc-Type: 4,ENCRYPTED\n',
      'AAAA',
      '=\n',
    ],
  ]),
  take(input) {
    try {
      PrivateKey.parse(input.toString('latin1'));
    } catch (error) {
      if (!(error instanceof PrivateKeyFault)) throw error;
      // What it says must not quote the file.
      if (error.message.length > 300) throw new Error(`too many words: ${error.message}`, { cause: error });
    }
  },
};

const config: Target = {
  name: 'configuration',
  share: 3,
  corpus: [
    ...filesOf(join(settingsFolder, 'good'), /\.ya?ml$/),
    ...filesOf(join(settingsFolder, 'bad'), /\.ya?ml$/),
  ].filter(({ length }) => length < 20_000),
  generated: piecesOf(yamlWords, 20),
  take(input) {
    const { text, faults } = readYamlText('x.yml', input.toString('utf8'));
    if (text === null && faults.length === 0) throw new Error('neither a text nor a fault');
    if (text === null || text.value === null || text.value === undefined) return;
    const checked = checkSchema(text, configSchema);
    if (checked.value === null && checked.faults.length === 0) throw new Error('neither a value nor a fault');
  },
};

const fileSd: Target = {
  name: 'file_sd',
  share: 4,
  corpus: [
    ...filesOf(join(settingsFolder, 'targets'), /\.(ya?ml|json)$/),
    Buffer.from('[{"targets":["web-1:22","[2001:db8::1]:2222","db-1"],"labels":{"stack":"shop","team":"a"}}]'),
    Buffer.from('- targets: [web-1, "web-2:9100"]\n  labels:\n    __x: y\n    team: web\n- targets: []\n'),
  ],
  generated: piecesOf([...yamlWords, '[{"targets":[', '"a:22"', ']}]', ',"labels":{"stack":"x"}'], 15),
  take(input, random) {
    const source = input.toString('utf8');
    const isJson = random.fraction() < 0.5;
    const { text } = isJson ? readJsonText('x.json', source) : readYamlText('x.yml', source, 'text');
    if (text === null || text.value === null || text.value === undefined) return;
    readTargetGroups(text, random.oneOf(['ssh', 'ignore']), random.fraction() < 0.5);
  },
};

const ansible: Target = {
  name: 'ansible',
  share: 5,
  corpus: [
    ...filesOf(join(settingsFolder, 'ansible'), /\.(ini|ya?ml)$/),
    Buffer.from(
      '[web]\nweb-[1:3] ansible_host=203.0.113.[1:3] ansible_port=2222\n[all:vars]\nansible_user="x y"\n[prod:children]\nweb\n',
    ),
  ],
  generated: piecesOf(
    ...[
      [
        '[web]\n',
        '[web:children]\n',
        '[all:vars]\n',
        'web-[01:20].example.com\n',
        'ansible_port=22 ',
        '[a:f]',
        "'",
        '"',
        '#',
        'all:\n  hosts:\n    a:\n',
        '  children:\n',
      ],
    ],
    20,
  ),
  take(input, random) {
    const inventory = new AnsibleInventory();
    const isYaml = random.fraction() < 0.4;
    const faults = (isYaml ? readAnsibleYaml : readAnsibleIni)('x', input.toString('utf8'), inventory);
    if (faults.length > 0) return;
    inventory.depths();
    hostsOfAnsible('x', inventory, (host) => host.vars, { stackGroups: [], onlyGroups: [], login: 'inventory' });
  },
};

const entry =
  '{"boot":{"id":"a","atSeconds":1,"earliestAtSeconds":1,"latestAtSeconds":2},"sinceSeconds":5.5,"evidence":"birth","survivedRestart":false,"seenAtMs":6}';
const state: Target = {
  name: 'state file',
  share: 2,
  corpus: [Buffer.from(`{"format":"reboot-exporter-state","version":1,"hosts":{"web-1":${entry},"db-1":${entry}}}\n`)],
  generated: piecesOf([
    '{"format":"reboot-exporter-state","version":1,"hosts":{',
    '"a":',
    entry,
    ',',
    '}}',
    '"__proto__":',
  ]),
  take(input) {
    const parsed = parseMemory(input.toString('utf8'));
    if ('fault' in parsed) return;
    for (const { seenAtMs, sinceSeconds } of parsed.hosts.values()) {
      if (!Number.isFinite(seenAtMs) || !Number.isFinite(sinceSeconds ?? 0))
        throw new Error('a time that is no number');
    }
  },
};

const headers: Target = {
  name: 'request headers',
  share: 2,
  corpus: [
    Buffer.from('application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1'),
    Buffer.from('gzip, deflate;q=0, br;q=1.0, *;q=0'),
    Buffer.from('Basic YWRtaW46c2VjcmV0'),
  ],
  generated: piecesOf([
    'application/openmetrics-text',
    'text/plain',
    ';q=',
    ';version=',
    ',',
    'gzip',
    '*',
    'Basic ',
    'YTpi',
  ]),
  take(input) {
    const text = input.toString('latin1');
    negotiateFormat(text);
    acceptsGzip(text);
    basicCredentialsOf(text);
  },
};

const sshConfig: Target = {
  name: 'ssh_config',
  share: 2,
  corpus: [
    Buffer.from(
      'Host web-* !web-9\n  HostName %h.example.com\n  User "a b"\n  ProxyJump bastion:2222,x@y\n  Port=2200\n',
    ),
    Buffer.from('Match final originalhost a,b exec "true" user x\n IdentityFile ~/.ssh/%r@%h ${HOME}/k\nHost *\n'),
  ],
  generated: piecesOf([
    'Host ',
    'Match ',
    'final ',
    'all',
    'exec ',
    '!',
    'host ',
    '*',
    '%h',
    '${X}',
    '"',
    "'",
    '=',
    '\n',
    ',',
    '#',
    '\\',
  ]),
  take(input) {
    const { lines } = readLines('x', input.toString('utf8'));
    for (const line of lines) {
      if (line.keyword === 'host') readHostLine(line);
      if (line.keyword === 'match') readMatchLine(line);
      expandTokens(line.rest, { h: 'web-1' });
      expandVariables(line.rest, { HOME: '/root' });
    }
  },
};

/** Everything that reads files and requests. */
export const fileTargets: readonly Target[] = [
  sshConfig,
  knownHosts,
  privateKey,
  certificate,
  config,
  fileSd,
  ansible,
  state,
  headers,
];
