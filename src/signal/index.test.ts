import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { factsOf, section } from '../../test/fixture/said';
import { readings } from '../reading';
import { findBootTime } from './boot-time';
import { signals } from '.';

const documentation = readFileSync(join(__dirname, '../../docs/restart-state.md'), 'utf8');

describe('every signal', () => {
  test.each(signals.map((signal) => [signal.name, signal] as const))(
    '%s has a row in the documentation',
    (name, signal) => {
      const row = documentation.split('\n').find((line) => line.startsWith(`| \`${name}\` `));
      expect(row).toBeDefined();
      if (signal.reason !== undefined) expect(row).toContain(`(reason \`${signal.reason}\`)`);
    },
  );

  test('has a name of its own, and a section that no other writes', () => {
    const names = signals.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    const sections = [
      ...Object.values(readings).map(({ name }) => name),
      ...signals.filter(({ script }) => script !== undefined).map(({ name }) => name),
    ];
    expect(new Set(sections).size).toBe(sections.length);
    for (const name of names) expect(name).toMatch(/^[a-z][a-z0-9_]*$/);
  });

  test('knows nothing of a host that sent nothing: it says neither yes nor no', () => {
    const facts = factsOf({ sections: Object.fromEntries(Object.keys(readings).map((name) => [name, null])) });
    for (const signal of signals) {
      for (const sent of [undefined, section(signal.name, '', 1)]) {
        const { says } = signal.judge(sent, { facts, bootTime: findBootTime(facts) });
        expect([signal.name, ['silent', 'unknown'].includes(says)]).toEqual([signal.name, true]);
      }
    }
  });
});
