import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Ajv from 'ajv';
import { parse } from 'yaml';
import { writeKeyFiles } from '../../test/config/key-files';
import { formatFault } from './fault';
import { jsonSchemaFiles } from './json-schema';
import { loadConfig } from './load';

const folder = join(__dirname, '../../config');
const cases = join(__dirname, '../../test/config');
const example = readFileSync(join(folder, 'reboot-exporter.example.yml'), 'utf8');

type Json = { readonly [key: string]: Json } | readonly Json[] | string | number | boolean | null;

/** What the published schema finds wrong, as an editor would; empty when nothing. */
function judge(schemaName: string, text: string): string[] {
  const ajv = new Ajv({ allErrors: true });
  const validate = ajv.compile(JSON.parse(readFileSync(join(folder, schemaName), 'utf8')) as object);
  validate(parse(text, { merge: true }));
  return (validate.errors ?? []).map((error) => `${error.dataPath} ${error.message ?? ''}`);
}

describe('the published JSON Schemas', () => {
  test.each([...jsonSchemaFiles()])('%s is that of the source; `npm run generate` writes it', (name, text) => {
    if (process.env['UPDATE_GENERATED'] === '1') writeFileSync(join(folder, name), text);
    expect(readFileSync(join(folder, name), 'utf8')).toBe(text);
  });

  test('every key is described', () => {
    const bare: string[] = [];
    const visit = (node: Json, path: string): void => {
      if (typeof node !== 'object' || node === null) return;
      for (const [key, inner] of Object.entries(node)) {
        if (key === 'properties' && typeof inner === 'object' && inner !== null) {
          for (const [name, property] of Object.entries(inner as { readonly [key: string]: Json })) {
            if (!isDescribed(property as Json)) bare.push(`${path}.${name}`);
          }
        }
        visit(inner as Json, `${path}.${key}`);
      }
    };
    for (const [, text] of jsonSchemaFiles()) visit(JSON.parse(text) as Json, '');
    expect(bare).toEqual([]);
  });

  test('accept every good file of the tests', () => {
    for (const name of readdirSync(join(cases, 'good')).filter((one) => one.endsWith('.yml'))) {
      expect([name, ...judge('reboot-exporter.schema.json', readFileSync(join(cases, 'good', name), 'utf8'))]).toEqual([
        name,
      ]);
    }
    for (const name of readdirSync(join(cases, 'good/conf.d'))) {
      const text = readFileSync(join(cases, 'good/conf.d', name), 'utf8');
      expect([name, ...judge('reboot-exporter.fragment.schema.json', text)]).toEqual([name]);
    }
  });

  test.each(['unknown-keys', 'types', 'enums', 'durations', 'edge', 'ignore', 'ranges', 'labels', 'inventory'])(
    'refuse bad/%s.yml',
    (name) => {
      expect(judge('reboot-exporter.schema.json', readFileSync(join(cases, 'bad', `${name}.yml`), 'utf8'))).not.toEqual(
        [],
      );
    },
  );
});

/** A reference leads to a definition that is described, which the walk meets as well. */
function isDescribed(property: Json): boolean {
  return typeof property === 'object' && property !== null && ('description' in property || '$ref' in property);
}

describe('reboot-exporter.example.yml', () => {
  test('names its schema in the first line, for editors', () => {
    expect(example.split('\n', 1)[0]).toBe('# yaml-language-server: $schema=reboot-exporter.schema.json');
  });

  test('is valid by the JSON Schema', () => {
    expect(judge('reboot-exporter.schema.json', example)).toEqual([]);
  });

  test('is valid by the program, without a warning, once the files that it names are there', async () => {
    const root = mkdtempSync(join(tmpdir(), 'reboot-exporter-example-'));
    try {
      writeKeyFiles(root);
      cpSync(join(root, 'id_other'), join(root, 'id_vault'));
      for (const [name, text] of [
        ['targets/a.yml', '- targets: [sd-1]\n'],
        ['targets/a.json', '[]'],
        ['conf.d/a.yml', 'hosts: [{ name: more }]\n'],
      ] as const) {
        mkdirSync(join(root, name, '..'), { recursive: true });
        writeFileSync(join(root, name), text);
      }
      const file = join(root, 'reboot-exporter.yml');
      writeFileSync(file, example);
      const result = await loadConfig(file);
      expect([...(result.ok ? [] : result.faults), ...result.warnings].map(formatFault)).toEqual([]);
      expect(result.ok && result.config.hosts.map(({ name }) => name)).toEqual([
        'web-1',
        'web-2.example.com',
        'vault-1',
        'more',
        'sd-1',
      ]);
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  });

  test('shows every key that there is', () => {
    const keys = new Set<string>();
    const visit = (node: Json): void => {
      if (typeof node !== 'object' || node === null) return;
      for (const [key, inner] of Object.entries(node)) {
        if (key === 'properties') Object.keys(inner as object).forEach((name) => keys.add(name));
        visit(inner as Json);
      }
    };
    visit(JSON.parse(jsonSchemaFiles().get('reboot-exporter.schema.json') ?? '') as Json);
    const mentioned = new Set(example.match(/[a-z_]+(?=:)/g));
    expect([...keys].filter((key) => !mentioned.has(key))).toEqual([]);
  });
});
