import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describeWith } from '../../test/fixture/programs';
import { hostOf } from '../../test/fixture/fake-fleet';
import { now } from '../../test/fixture/said';
import { anyStatus, knownOf, statusOf } from '../../test/fixture/statuses';
import { settleKnown } from '../fleet/known';
import { Sharing } from '../fleet/sharing';
import { freshKnown, type HostStatus } from '../fleet/status';
import { defaultPolicy } from '../policy/defaults';
import { createExporterMetrics } from './exporter-metrics';
import { renderHead, type ExpositionFormat } from './family';
import { FleetText, renderOneHost } from './fleet-text';
import { renderStacks } from './stack-families';

const staleAfterSeconds = 3600;

function render(text: FleetText, monotonicMs: number, format: ExpositionFormat = 'text'): string {
  return text
    .render(monotonicMs)
    .map(({ head, pieces }) => renderHead(head, format) + Buffer.concat(pieces).toString())
    .join('');
}

interface Family {
  readonly head: string;
  readonly lines: string[];
}

/** An exposition taken apart by family, in order. */
function familiesOf(text: string): Family[] {
  const families: Family[] = [];
  let head = '';
  for (const line of text.split('\n')) {
    if (line.startsWith('# HELP ')) head = line;
    else if (line.startsWith('# TYPE ')) families.push({ head: `${head}\n${line}`, lines: [] });
    else if (line !== '') families.at(-1)?.lines.push(line);
  }
  return families;
}

/** What the exposition must be: the families of each host alone, put together. */
function merged(statuses: Iterable<HostStatus>, monotonicMs: number, format: ExpositionFormat): Map<string, string[]> {
  const lines = new Map<string, string[]>();
  for (const status of statuses) {
    const known = freshKnown(status, monotonicMs, staleAfterSeconds);
    for (const family of familiesOf(Buffer.from(renderOneHost({ status, known, monotonicMs }, format)).toString())) {
      lines.set(family.head, [...(lines.get(family.head) ?? []), ...family.lines]);
    }
  }
  for (const all of lines.values()) all.sort();
  return lines;
}

/** A probe of a host that is there already, which finds what the last one found, or what another host says. */
const probedAgain = fc.record({
  does: fc.constant('probe' as const),
  at: fc.nat(5),
  findsTheSame: fc.boolean(),
  fails: fc.boolean(),
  other: anyStatus,
});

interface ProbedAgain {
  readonly findsTheSame: boolean;
  readonly fails: boolean;
  readonly other: HostStatus;
}

function probed(before: HostStatus, { findsTheSame, fails, other }: ProbedAgain, sharing: Sharing): HostStatus {
  const found = findsTheSame ? structuredClone(before.known) : other.known;
  return {
    ...before,
    attempt: other.attempt,
    known: found === null ? before.known : settleKnown(before.known, found, sharing),
    failures: fails ? other.failures : before.failures,
    restartsSeen: other.restartsSeen,
  };
}

describe('FleetText', () => {
  test('is what each host alone says, family by family, through hosts that come, change, age and leave', () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: anyStatus.map((status) => ({ does: 'update' as const, status })) },
      { weight: 6, arbitrary: probedAgain },
      { weight: 1, arbitrary: fc.nat(5).map((at) => ({ does: 'leave' as const, at })) },
      { weight: 2, arbitrary: fc.integer({ min: 1, max: 4_000_000 }).map((ms) => ({ does: 'wait' as const, ms })) },
    );
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 25 }),
        fc.constantFrom<ExpositionFormat>('text', 'openmetrics'),
        (steps, format) => {
          const text = new FleetText(() => staleAfterSeconds);
          const statuses = new Map<string, HostStatus>();
          const sharing = new Sharing();
          let monotonicMs = 3_600_000;
          for (const one of steps) {
            if (one.does === 'update') {
              statuses.set(one.status.host.name, one.status);
              text.update(one.status.host.name, one.status, monotonicMs);
            } else if (one.does === 'probe') {
              const before = [...statuses.values()][one.at];
              if (before === undefined) continue;
              const status = probed(before, one, sharing);
              statuses.set(status.host.name, status);
              text.update(status.host.name, status, monotonicMs);
            } else if (one.does === 'leave') {
              const name = [...statuses.keys()][one.at];
              if (name === undefined) continue;
              statuses.delete(name);
              text.update(name, null, monotonicMs);
            } else {
              monotonicMs += one.ms;
            }
            const families = familiesOf(render(text, monotonicMs, format));
            const found = new Map(families.map(({ head, lines }) => [head, [...lines].sort()]));
            expect(families).toHaveLength(found.size);
            expect(found).toEqual(merged(statuses.values(), monotonicMs, format));
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  test('with one host it is that host, byte for byte', () => {
    const text = new FleetText(() => staleAfterSeconds);
    const status = statusOf('web-1', knownOf({ flag: {} }), { labels: { team: 'web' } });
    text.update('web-1', status, 0);
    expect(render(text, 1234)).toBe(renderOneHost({ status, known: status.known, monotonicMs: 1234 }, 'text'));
  });

  test('without hosts it is empty', () => {
    expect(render(new FleetText(() => staleAfterSeconds), 0)).toBe('');
  });

  test('the age grows from scrape to scrape, without an update', () => {
    const text = new FleetText(() => staleAfterSeconds);
    text.update('web-1', statusOf('web-1', knownOf({ flag: {}, now })), 0);
    const ages = [0, 1000, 1500, 60_000].map(
      (ms) => /reboot_required_age_seconds\{.*\} (.*)/.exec(render(text, ms))?.[1],
    );
    expect(ages).toEqual(['0', '1', '1.5', '60']);
  });

  test('the state ends by itself when it is stale, and also when stale_after is made shorter', () => {
    let bound = staleAfterSeconds;
    const text = new FleetText(() => bound);
    text.update('web-1', statusOf('web-1', knownOf({})), 0);
    const hasState = (ms: number): boolean => render(text, ms).includes('reboot_required{');
    expect([hasState(3_600_000), hasState(3_600_001)]).toEqual([true, false]);
    expect(render(text, 3_600_001)).toContain('reboot_probe_success{');
    bound = 7200;
    expect(hasState(3_600_001)).toBe(true);
    bound = 60;
    expect([hasState(60_000), hasState(60_001)]).toEqual([true, false]);
  });

  test('a thousand hosts that come and go in any order leave no line behind and lose none', () => {
    const text = new FleetText(() => staleAfterSeconds);
    const here = new Set<string>();
    const put = (at: number): void => {
      text.update(`web-${at}`, statusOf(`web-${at}`, knownOf({})), 0);
      here.add(`web-${at}`);
    };
    for (let at = 0; at < 1000; at++) put(at);
    for (let at = 0; at < 1000; at += 3) {
      text.update(`web-${at}`, null, 0);
      here.delete(`web-${at}`);
    }
    for (let at = 2000; at < 2500; at++) put(at);
    text.update('nobody', null, 0);
    const names = [...render(text, 0).matchAll(/^reboot_required\{host="([^"]*)"/gm)].map((found) => found[1] ?? '');
    expect([...names].sort()).toEqual([...here].sort());
  });

  test('a scrape in which nothing changed costs a fraction of the first', () => {
    const text = new FleetText(() => staleAfterSeconds);
    for (let at = 0; at < 5000; at++) text.update(`web-${at}`, statusOf(`web-${at}`, knownOf({})), 0);
    const costs = Array.from({ length: 6 }, (_, scrape) => {
      const begun = performance.now();
      text.render(scrape);
      return performance.now() - begun;
    });
    const [first = NaN, ...others] = costs;
    expect(Math.min(...others)).toBeLessThan(first / 3);
  });
});

describeWith(['promtool'], 'promtool check metrics', () => {
  function check(text: string): string {
    return execFileSync('sh', ['-c', 'promtool check metrics 2>&1 || true'], { input: text, encoding: 'utf8' });
  }

  test('finds nothing in what is published, whatever hosts and labels say', async () => {
    const text = new FleetText(() => staleAfterSeconds);
    const statuses = fc.sample(anyStatus, 300);
    for (const status of statuses) text.update(status.host.name, status, 3_600_000);
    const window = { cron: '0 2 * * 0', durationSeconds: 3600, timezone: 'Europe/Berlin' };
    const stacks = new Map([
      ['default', defaultPolicy],
      ['a "stack"\\', { ...defaultPolicy, maintenanceWindow: window }],
    ]);
    const exporter = createExporterMetrics();
    exporter.configReloaded(true, now);
    exporter.watch(() => ({
      hostsByStack: new Map([['default', 300]]),
      probesInFlight: 1,
      probesQueued: 2,
      bastionConnections: 0,
    }));
    const published = `${render(text, 3_600_000)}${renderStacks(stacks, now * 1000, 'text')}${await exporter.render('text')}`;
    expect(published).toContain('reboot_required_package_info{');
    expect(published).toContain('reboot_maintenance_window_open{stack="a \\"stack\\"\\\\"} ');
    expect(check(published)).toBe('');
  });

  test('finds nothing in what /probe answers', () => {
    const status = statusOf(
      'web-1',
      knownOf({ flag: {}, listText: 'libc6' }),
      hostOf('web-1', { labels: { team: 'web' } }),
    );
    expect(check(renderOneHost({ status, known: status.known, monotonicMs: 0 }, 'text'))).toBe('');
  });

  test('would find something', () => {
    expect(check('# TYPE x counter\nx 1\n')).toContain('counter metrics should have "_total" suffix');
  });
});
