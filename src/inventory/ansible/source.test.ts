import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cpuMsOf } from '../../../test/config/cpu-time';
import { formatFault } from '../../config/fault';
import { FileMemory } from '../../config/file-memory';
import type { HostEntry } from '../entry';
import type { InventoryAnswer, SourceMemory } from '../source';
import { ansible } from './source';

const cases = join(__dirname, '../../../test/config/ansible');
const path = process.env['PATH'];
let folder: string;
let memory: SourceMemory;
let now = 0;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'reboot-exporter-ansible-'));
  memory = { files: new FileMemory(), answers: new Map() };
});

afterEach(() => {
  process.env['PATH'] = path;
  rmSync(folder, { recursive: true, force: true });
});

function load(settings: unknown): Promise<InventoryAnswer> {
  const open = ansible.parse(settings);
  const place = { line: 7, col: 3 };
  return open({ file: join(folder, 'config.yml'), placeOf: () => place, memory, nowMs: () => now }).load();
}

/** Reads a text as an inventory file, without any program. */
function read(name: string, text: string, settings: object = {}): Promise<InventoryAnswer> {
  writeFileSync(join(folder, name), text);
  return load({ inventory: name, program: 'never', ...settings });
}

/** Puts a program called `ansible-inventory` in front of the path. */
function program(script: string): void {
  const file = join(folder, 'ansible-inventory');
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  process.env['PATH'] = `${folder}:${path ?? ''}`;
}

function told({ faults, warnings }: InventoryAnswer): string[] {
  return [...faults, ...warnings].map((one) =>
    formatFault(one).replaceAll(`${folder}/`, '').replaceAll(`${cases}/`, ''),
  );
}

function summary(host: HostEntry): object {
  const { name, address, stack, ssh } = host;
  return {
    name,
    address,
    stack,
    port: ssh.port ?? null,
    user: ssh.user ?? null,
    identityFiles: ssh.identityFiles ?? null,
  };
}

function byName(answer: InventoryAnswer): object[] {
  return answer.hosts.map(summary).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

describe.each(['ini', 'yml'])('inventory.%s', (form) => {
  test('gives, when read from its files, the very hosts that ansible-inventory gives', async () => {
    program(`cat '${join(cases, `listing.${form}.json`)}'`);
    const asked = await load({ inventory: join(cases, `inventory.${form}`) });
    const answer = await load({ inventory: join(cases, `inventory.${form}`), program: 'never' });
    expect(answer.faults).toEqual([]);
    expect(answer.hosts.length).toBeGreaterThan(5);
    expect(byName(answer)).toEqual(byName(asked));
  });
});

describe('an inventory read from its files', () => {
  test('gives address, port, user, key and stack', async () => {
    const answer = await load({ inventory: join(cases, 'inventory.ini'), program: 'never' });
    const host = (name: string): object => summary(answer.hosts.find((one) => one.name === name) as HostEntry);
    const none = { identityFiles: null };
    expect(host('mail')).toEqual({
      ...none,
      name: 'mail',
      address: '192.0.2.10',
      stack: 'default',
      port: 2222,
      user: 'everyone',
    });
    expect(host('web02.example.com')).toMatchObject({ stack: 'web', port: 2400, user: 'deploy' });
    expect(host('web-x')).toMatchObject({
      address: '192.0.2.11',
      identityFiles: ['/keys/id web'],
      user: 'of-group-vars',
      port: 2300,
    });
    expect(host('::1')).toMatchObject({ address: '::1', port: 2201 });
    expect(host('db-a')).toMatchObject({ stack: 'db', port: 2999, user: 'everyone' });
    expect(answer.hosts.find(({ name }) => name === 'web-x')?.place()).toEqual({ line: 8, col: 1 });
  });

  test('tells what it leaves aside', async () => {
    const answer = await load({ inventory: join(cases, 'inventory.ini'), program: 'never' });
    expect(told(answer)).toEqual([
      'inventory.ini:8:1: `web-x` is in several groups, and others may be; `web` is taken as its stack: name the groups that are with `stack_groups`',
      'inventory.ini:30:1: `sw1` is left out, as others may be: its ansible_connection is `network_cli`, not ssh',
    ]);
  });

  test('stack_groups are searched upwards, in their order; a variable goes before them', async () => {
    const settings = { inventory: join(cases, 'inventory.yml'), program: 'never', stack_groups: ['db', 'shop'] };
    const { hosts, warnings } = await load(settings);
    expect(Object.fromEntries(hosts.map(({ name, stack }) => [name, stack]))).toEqual({
      mail: 'default',
      web01: 'shop',
      web02: 'shop',
      web03: 'shop',
      'web-x': 'data',
      'db-a': 'data',
    });
    expect(warnings).toEqual([]);
  });

  test('user and key may be left to the configuration', async () => {
    const { hosts } = await load({ inventory: join(cases, 'inventory.yml'), program: 'never', login: 'own' });
    expect(hosts.find(({ name }) => name === 'mail')).toMatchObject({ address: '192.0.2.10', ssh: { port: 2222 } });
    expect(hosts.every(({ ssh }) => ssh.user === undefined && ssh.identityFiles === undefined)).toBe(true);
  });

  test('only_groups limits the hosts', async () => {
    const { hosts } = await load({
      inventory: join(cases, 'inventory.ini'),
      program: 'never',
      only_groups: ['db', 'empty'],
    });
    expect(hosts.map(({ name }) => name)).toEqual(['web-x', 'db-b', 'db-a', 'db-c']);
  });

  test.each([
    ['a.ini', '[a]\nh 3\n', ['a.ini:2:1: `3` must be `key=value`']],
    ['a.ini', '[a:vrs]\nx=1\n', ['a.ini:1:1: `[a:vrs]` is no section: it is `[a]`, `[a:vars]` or `[a:children]`']],
    ['a.ini', '[a:vars]\n  x\n', ['a.ini:2:3: `x` must be `key=value`']],
    ['a.ini', 'h x="y\n', ['a.ini:1:1: a quote is not closed']],
    ['a.ini', 'h[3:1]\n', ['a.ini:1:1: `[3:1]` is no range: write one like `[01:20]` or `[a:f]`']],
    ['a.ini', 'h ansible_port=ssh\n', ['a.ini:1:1: the port of `h` must be a number from 1 to 65535, not `ssh`']],
    [
      'a.ini',
      'h ansible_host={{x}}\n',
      ["a.ini:1:1: ansible_host of `h` is a template, which can't be evaluated here: `{{x}}`"],
    ],
    [
      'a.ini',
      'h ansible_host=a:b:c\n',
      ['a.ini:1:1: `h`: `a:b:c` is neither an IP address nor a name that could be resolved'],
    ],
    ['a.ini', 'h ansible_user=-oX\n', ['a.ini:1:1: the user of `h` must be a user name, not `-oX`']],
    ['a.ini', 'h ansible_password=x\n', ['a.ini:1:1: ansible_password of `h` is not used here']],
    ['a.ini', '[a:children]\nb\n[b:children]\na\n', ['config.yml:7:3: a.ini: a group contains itself']],
    [
      'a.ini',
      '#!/usr/bin/python\n',
      ['config.yml:7:3: a.ini is a program: to run it, ansible-inventory must be installed'],
    ],
    ['a.ini', 'h\0\n', ['config.yml:7:3: a.ini is a binary file: it has a zero byte at offset 1']],
    ['a.yml', 'all:\n  hosts: [a, b]\n', ['a.yml:2:3: must be a mapping of hosts, each name followed by a colon']],
    ['a.yml', 'all:\n  host: { a: }\n', ['a.yml:2:3: unknown key `host`: a group has `hosts`, `vars` and `children`']],
    ['a.yml', 'all: [a]\n', ['a.yml:1:1: must be a mapping with `hosts`, `vars` or `children`']],
    [
      'a.yml',
      'all: { hosts: { a: { ansible_host: !vault "$ANSIBLE_VAULT;1" } } }\n',
      ['a.yml:1:17: ansible_host of `a` is encrypted by ansible-vault'],
    ],
    ['a.yml', 'all: { hosts: { a: !other x } }\n', ['a.yml:1:20: YAML tags are not used here: Unresolved tag: !other']],
    ['a.yml', '', []],
    ['a.ini', '', []],
  ])('%s with %j', async (name, text, expected) => {
    expect(told(await read(name, text))).toEqual(expected);
  });

  test('one that is not there', async () => {
    expect(told(await load({ inventory: 'none.ini', program: 'never' }))).toEqual([
      'config.yml:7:3: none.ini does not exist',
    ]);
    expect(told(await load({ inventory: '.', program: 'never' }))[0]).toMatch(
      /is a directory: to read it, ansible-inventory must be installed$/,
    );
  });

  test('no line is too much for it', async () => {
    const pieces = ['[', '[a:', 'a[1:2]', ':', '"', '\\', ' x=1', '#', '{{'];
    const cpuMs = await cpuMsOf(async () => {
      for (const piece of pieces) await read('a.ini', piece.repeat(200_000));
    });
    expect(cpuMs).toBeLessThan(5000);
  });
});

describe('ansible-inventory, where it is installed', () => {
  test('is asked again only when a file changed, or its interval is over', async () => {
    program('echo x >> asked; echo \'{"all":{"hosts":["a"]}}\'');
    writeFileSync(join(folder, 'inv.ini'), 'a\n');
    const times = (): number => readFileSync(join(folder, 'asked'), 'utf8').split('\n').length - 1;
    expect(byName(await load('inv.ini'))).toEqual([expect.objectContaining({ name: 'a', stack: 'default' })]);
    await load('inv.ini');
    expect(times()).toBe(1);
    writeFileSync(join(folder, 'inv.ini'), 'a\nb\n');
    await load('inv.ini');
    expect(times()).toBe(2);
    const refreshed = { inventory: 'inv.ini', refresh_interval: '1m' };
    await load(refreshed);
    now += 60_000;
    await load(refreshed);
    expect(times()).toBe(4);
  });

  test.each([
    [
      'echo "ERROR! inv.ini:3: Expected key=value" >&2; exit 1',
      'ansible-inventory failed: ERROR! inv.ini:3: Expected key=value',
    ],
    ['echo not json', 'ansible-inventory did not answer with JSON'],
    ['echo []', 'ansible-inventory did not answer with a mapping'],
    ['exit 3', 'ansible-inventory failed: exit status 3'],
  ])('%s', async (script, message) => {
    program(script);
    writeFileSync(join(folder, 'inv.ini'), 'a\n');
    expect(told(await load('inv.ini'))).toEqual([`config.yml:7:3: inv.ini: ${message}`]);
  });

  test('a failure is not remembered', async () => {
    program('if [ -e ok ]; then echo \'{"all":{"hosts":["a"]}}\'; else exit 1; fi');
    writeFileSync(join(folder, 'inv.ini'), 'a\n');
    expect((await load('inv.ini')).faults).toHaveLength(1);
    writeFileSync(join(folder, 'ok'), '');
    expect((await load('inv.ini')).hosts).toHaveLength(1);
  });

  test('arguments of ssh say by which bastion', async () => {
    process.env['PATH'] = folder;
    const lines = ['[all:vars]', "ansible_ssh_common_args='-o StrictHostKeyChecking=no -J ops@b1 -4'", '[g]', 'a'];
    writeFileSync(join(folder, 'inv.ini'), `${lines.join('\n')}\n`);
    const { hosts, warnings } = await load('inv.ini');
    expect(hosts[0]?.ssh).toMatchObject({
      proxyJump: [{ user: 'ops', host: 'b1', port: null }],
      addressFamily: 'inet',
    });
    expect(warnings.map(({ message }) => message)).toEqual([
      'ansible_ssh_common_args of `a`: `-o StrictHostKeyChecking=no` is not used here',
    ]);
  });

  test('an answer with other than the expected is read as far as it goes', async () => {
    program(
      'echo \'{"_meta":{"hostvars":{"a":{"ansible_port":22,"x":[1]}}},"g":{"hosts":["a",1,null],"children":"x"},"h":3}\'',
    );
    writeFileSync(join(folder, 'inv.ini'), 'a\n');
    expect(byName(await load('inv.ini'))).toEqual([expect.objectContaining({ name: 'a', stack: 'g', port: 22 })]);
  });

  test('without it the file is read', async () => {
    process.env['PATH'] = folder;
    writeFileSync(join(folder, 'inv.ini'), 'a ansible_port=2022\n');
    expect(byName(await load('inv.ini'))).toEqual([expect.objectContaining({ name: 'a', port: 2022 })]);
  });
});
