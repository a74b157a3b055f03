import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { writeKeyFiles } from '../../test/config/key-files';
import type { Host } from '../inventory/host';
import type { Config } from './config';
import { formatFault } from './fault';
import { loadConfig, type LoadResult } from './load';

const cases = join(__dirname, '../../test/config');
const day = 86_400;
let root: string;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'reboot-exporter-config-'));
  cpSync(cases, root, { recursive: true });
  for (const folder of ['good', 'bad']) writeKeyFiles(join(root, folder, 'keys'));
});

afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

/** What is said of a file, one line each, with paths as in the repository. */
function told(result: LoadResult): string[] {
  const faults = result.ok ? [] : result.faults.map(formatFault);
  const warnings = result.warnings.map((warning) => `warning: ${formatFault(warning)}`);
  return [...faults, ...warnings].map((line) => line.replaceAll(`${root}/`, ''));
}

function expectedOf(folder: string, name: string): string[] {
  const file = join(cases, folder, name.replace(/yml$/, 'txt'));
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8').split('\n').filter(Boolean);
}

async function good(name: string): Promise<Config> {
  const result = await loadConfig(join(root, 'good', name));
  if (!result.ok) throw new Error(told(result).join('\n'));
  return result.config;
}

function hostOf(config: Config, name: string): Host {
  const host = config.hosts.find((one) => one.name === name);
  if (host === undefined) throw new Error(`no host ${name}`);
  return host;
}

function yamlFiles(folder: string): string[] {
  return readdirSync(join(cases, folder)).filter((name) => name.endsWith('.yml'));
}

describe('every file in test/config/good', () => {
  test.each(yamlFiles('good'))('%s is accepted', async (name) => {
    const result = await loadConfig(join(root, 'good', name));
    expect(told(result)).toEqual(expectedOf('good', name));
    expect(result.ok).toBe(true);
  });
});

describe('every file in test/config/bad', () => {
  test.each(yamlFiles('bad'))('%s is refused with the faults that stand beside it', async (name) => {
    const expected = expectedOf('bad', name);
    expect(expected.some((line) => !line.startsWith('warning: '))).toBe(true);
    const result = await loadConfig(join(root, 'bad', name));
    expect(told(result)).toEqual(expected);
    expect(result.ok).toBe(false);
  });
});

describe('loadConfig', () => {
  test('resolves the smallest configuration with every default', async () => {
    const config = await good('minimal.yml');
    const keys = join(root, 'good/keys');
    expect(config).toEqual({
      file: join(root, 'good/minimal.yml'),
      probe: {
        schedule: { kind: 'cron', expression: '*/5 * * * *' },
        timeoutSeconds: 10,
        concurrency: 64,
        staleAfterSeconds: 3600,
        exposureIntervalSeconds: 3600,
      },
      web: { refreshTokenFile: null },
      stacks: new Map([
        [
          'default',
          {
            exposed: { warningAfterSeconds: 3 * day, criticalAfterSeconds: 14 * day },
            internal: { warningAfterSeconds: 14 * day, criticalAfterSeconds: 30 * day },
            maintenanceWindow: null,
          },
        ],
      ]),
      hosts: [
        {
          name: 'web-1.example.com',
          address: 'web-1.example.com',
          stack: 'default',
          labels: {},
          ssh: {
            user: 'reboot-exporter',
            port: 22,
            identityFiles: [join(keys, 'id_ed25519')],
            passphraseFile: null,
            identityAgent: null,
            certificateFiles: [],
            knownHosts: join(keys, 'known_hosts'),
            sudo: 'auto',
            connection: 'auto',
            addressFamily: 'any',
            connectTimeoutSeconds: null,
            hostKeyAlias: null,
            legacyAlgorithms: [],
            algorithms: null,
            via: null,
            proxy: null,
          },
          exposure: {
            mode: 'evaluate',
            public: 'auto',
            edge: null,
            ignore: [
              { proto: 'udp', port: 68 },
              { proto: 'udp', port: 546 },
            ],
          },
        },
      ],
    });
  });

  test('a stack takes over each threshold that it does not give', async () => {
    const { stacks } = await good('inheritance.yml');
    expect(stacks.get('shop')).toMatchObject({
      exposed: { warningAfterSeconds: 2 * day, criticalAfterSeconds: 5 * day },
      internal: { warningAfterSeconds: 0, criticalAfterSeconds: 30 * day },
    });
    expect(stacks.get('vault')?.exposed).toEqual({ warningAfterSeconds: 2 * day, criticalAfterSeconds: 14 * day });
    expect([...stacks.keys()].sort()).toEqual(['default', 'shop', 'vault']);
  });

  test('a host takes over each ssh key that it does not give, first from its stack', async () => {
    const config = await good('inheritance.yml');
    const key = (name: string): string => join(root, 'good/keys', name);
    expect(hostOf(config, 'plain').ssh).toMatchObject({
      user: 'top',
      port: 2200,
      sudo: 'auto',
      identityFiles: [key('id_ed25519')],
    });
    expect(hostOf(config, 'in-stack').ssh).toMatchObject({ user: 'shop', port: 2200, sudo: 'never' });
    expect(hostOf(config, 'own').ssh).toMatchObject({
      user: 'shop',
      port: 22,
      identityFiles: [key('id_other'), key('id_ed25519')],
      knownHosts: key('known_hosts'),
    });
  });

  test('exposure is taken over key by key, but for a single word, which settles it', async () => {
    const config = await good('inheritance.yml');
    const edge = [{ proto: 'tcp', ports: [{ first: 443, last: 443 }], from: null }];
    expect(hostOf(config, 'plain').exposure).toMatchObject({ mode: 'evaluate', public: 'auto', edge: null });
    expect(hostOf(config, 'in-stack').exposure).toMatchObject({ mode: 'evaluate', public: false, edge });
    expect(hostOf(config, 'own').exposure).toMatchObject({ mode: 'evaluate', public: true, edge });
    expect(hostOf(config, 'word').exposure).toMatchObject({ mode: 'exposed', edge: null });
    expect(hostOf(config, 'back').exposure).toMatchObject({ mode: 'evaluate', public: 'auto' });
    expect(hostOf(config, 'keyed').exposure).toMatchObject({ mode: 'evaluate', public: true });
  });

  test('an empty edge lets nothing in, one that is left out lets everything in', async () => {
    const config = await good('odd-values.yml');
    expect(hostOf(config, 'edges').exposure).toMatchObject({ edge: [], ignore: [] });
    expect(hostOf(config, 'ranges').exposure.edge).toEqual([
      {
        proto: 'any',
        ports: [
          { first: 0, last: 65535 },
          { first: 1, last: 2 },
          { first: 0, last: 0 },
        ],
        from: null,
      },
      { proto: 'any', ports: null, from: ['203.0.113.7/32'] },
    ]);
    expect(hostOf(config, 'edges').labels).toEqual({ empty: '', spaces: 'a b', quotes: 'say "hi"', braces: '{}\\' });
  });

  test('the window is kept as it was written, in UTC where no zone is given', async () => {
    const { stacks } = await good('anchors.yml');
    expect(stacks.get('other')?.maintenanceWindow).toEqual({ cron: '@weekly', durationSeconds: 3600, timezone: 'UTC' });
    expect(stacks.get('third')?.exposed).toEqual({ warningAfterSeconds: 3600, criticalAfterSeconds: 7200 });
  });

  test('hosts come from included files and from what these name', async () => {
    const config = await good('include.yml');
    expect(config.hosts.map(({ name }) => name)).toEqual([
      'a',
      'shop-1',
      'shop-2',
      'sd-1.example.com',
      'sd-2.example.com',
      '192.0.2.3',
      '2001:db8::4',
      '2001:db8::5',
      'named',
    ]);
    // Paths in an included file start from its own folder; its stacks take over from the top.
    expect(hostOf(config, 'shop-2').ssh.identityFiles).toEqual([join(root, 'good/keys/id_other')]);
    expect(config.stacks.get('shop')?.exposed).toEqual({ warningAfterSeconds: day, criticalAfterSeconds: 10 * day });
  });

  test('file_sd gives name, address, port, stack and labels', async () => {
    const config = await good('file-sd.yml');
    expect(hostOf(config, 'sd-2.example.com')).toMatchObject({
      address: 'sd-2.example.com',
      stack: 'shop',
      // As written, not the number 1.1.
      labels: { team: 'web', version: '1.10' },
      ssh: { port: 2222 },
    });
    expect(hostOf(config, '2001:db8::4').ssh.port).toBe(22);
    expect(hostOf(config, 'named')).toMatchObject({ address: '192.0.2.9', stack: 'default' });
    expect(hostOf(config, 'json-1').stack).toBe('shop');
    expect(hostOf(config, 'node-1')).toMatchObject({ ssh: { port: 22 }, labels: {} });
  });

  test('the default of stale_after is three periods of a slow schedule', async () => {
    expect((await good('daily.yml')).probe.staleAfterSeconds).toBe(3 * day);
  });

  test('without a schedule there is no period: stale_after may be anything, and has its plain default', async () => {
    expect((await good('never.yml')).probe).toMatchObject({ schedule: { kind: 'never' }, staleAfterSeconds: 3600 });
    expect((await good('never-briefly.yml')).probe).toMatchObject({
      schedule: { kind: 'never' },
      staleAfterSeconds: 5,
    });
  });

  test('names what is to be watched for changes, with faults as well', async () => {
    const within = (path: string): string => join(root, path);
    const result = await loadConfig(within('good/include.yml'));
    expect(result.watch).toEqual({
      files: ['good/include.yml', 'good/conf.d/*.yml', 'good/conf.d/*.later', 'targets/good.yml'].map(within),
      refreshSeconds: null,
    });
    expect((await loadConfig(within('bad/syntax.yml'))).watch.files).toEqual([within('bad/syntax.yml')]);
  });

  describe('files that are no text', () => {
    async function faultOf(name: string, content: Buffer | string): Promise<string[]> {
      writeFileSync(join(root, 'bad', name), content);
      return told(await loadConfig(join(root, 'bad', name)));
    }

    test.each([
      ['nothing at all', Buffer.alloc(0), 'is empty'],
      ['zero bytes', Buffer.from('hosts:\0\n'), 'is a binary file: it has a zero byte at offset 6'],
      ['UTF-16', Buffer.from('\ufeffhosts: []\n', 'utf16le'), 'is UTF-16 text: save it as UTF-8'],
      ['Latin-1', Buffer.from('hosts: # \xe9\n', 'latin1'), 'is not UTF-8 text'],
      ['ten megabytes', Buffer.alloc(10_000_000, 'a: 1\n'), 'is too large: 10000000 bytes, at most 8388608 are read'],
    ])('%s', async (_, content, message) => {
      expect(await faultOf('content.bin', content)).toEqual([`bad/content.bin:1:1: ${message}`]);
    });

    test('a hundred thousand brackets', async () => {
      const [fault, ...others] = await faultOf('brackets.bin', '['.repeat(100_000));
      expect(fault).toMatch(/^bad\/brackets.bin:1:\d+: this YAML is nested too deeply to be read$/);
      expect(others).toEqual([]);
    });

    test('a byte order mark is no fault', async () => {
      expect(await faultOf('bom.bin', '\ufeffhosts: []\n')).toEqual([
        'warning: bad/bom.bin:1:1: names no hosts: there is nothing to probe',
      ]);
    });
  });

  test('a configuration that can not be read at all', async () => {
    symlinkSync('circle', join(root, 'bad/circle'));
    expect(told(await loadConfig(join(root, 'bad/not-there.yml')))).toEqual(['bad/not-there.yml:1:1: does not exist']);
    expect(told(await loadConfig(join(root, 'bad')))).toEqual([
      `${root}/bad:1:1: is a directory, not a file`.replace(`${root}/`, ''),
    ]);
    expect(told(await loadConfig('/dev/zero'))).toEqual(['/dev/zero:1:1: is not a regular file']);
    expect(told(await loadConfig(join(root, 'bad/circle')))).toEqual([
      "bad/circle:1:1: can't be read: its symbolic links go in a circle",
    ]);
  });

  test('whatever is done to a file, it is loaded or has faults within it', async () => {
    const source = readFileSync(join(cases, 'good/contract.yml'), 'utf8');
    const file = join(root, 'good/mutated.bin');
    const position = fc.nat(source.length);
    const piece = fc.oneof(
      fc.constantFrom('*', '&a ', '{', ']', '"', ': ', '\n', '  ', '- ', '0', '~', '!x ', '<<: ', '|', '#', '\t'),
      fc.string(),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(position, fc.nat(12), piece), { minLength: 1, maxLength: 4 }),
        async (edits) => {
          const text = edits.reduce(
            (before, [at, cut, put]) => before.slice(0, at) + put + before.slice(at + cut),
            source,
          );
          writeFileSync(file, text);
          const result = await loadConfig(file);
          if (result.ok) return;
          expect(result.faults.length).toBeGreaterThan(0);
          const lines = text.split(/\r\n|\n|\r/).length + 1;
          for (const fault of result.faults) {
            expect(fault.message).not.toBe('');
            expect(fault.message).not.toMatch(/Invalid input|undefined|\[object/);
            expect(fault.line).toBeLessThanOrEqual(lines);
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  test('a merge line of a version-1.1 document changes no value', async () => {
    writeFileSync(
      join(root, 'good/version.bin'),
      '%YAML 1.1\n---\nssh: { identity_file: keys/id_ed25519, known_hosts: keys/known_hosts }\nhosts: [{ name: a, labels: { a: yes } }]\n',
    );
    expect(hostOf(await good('version.bin'), 'a').labels).toEqual({ a: 'yes' });
  });
});
