import { join } from 'node:path';
import { evaluateExposure } from '../../src/exposure/evaluate';
import { parseExposureFacts } from '../../src/exposure/facts';
import type { ExposureVerdict } from '../../src/exposure/verdict';
import { type RecordedCase, SOURCES, readCases, sectionsOf } from './recorded-case';

// Another folder with such cases can be named, to hold the evaluator against them.
const cases = readCases(process.env['EXPOSURE_CASES'] ?? join(__dirname, 'cases'));

// The recorded hosts have addresses of the documentation ranges, which stand for public ones.
const settings = { mode: 'evaluate', public: true, edge: null, ignore: [], dialledAddress: null } as const;

const dialects = ['nft.json', 'nft-1.1.3.json'] as const;
const users = ['root', 'user'] as const;

function judge(
  recorded: RecordedCase,
  as: 'root' | 'user',
  dialect: (typeof dialects)[number],
  without: string | null = null,
): ExposureVerdict {
  return evaluateExposure(parseExposureFacts(sectionsOf(recorded, as, dialect, without)), settings);
}

function grade(recorded: RecordedCase, verdict: ExposureVerdict): string {
  return recorded.grading[verdict.verdict] ?? 'no grade';
}

function exposedPorts(verdict: ExposureVerdict): readonly string[] {
  return verdict.ports
    .filter((port) => port.openTo === 'anywhere')
    .map((port) => `${port.proto}${port.family === 'ipv4' ? 4 : 6}/${port.port}`)
    .sort();
}

describe('recorded hosts that were probed with real packets', () => {
  it('are there', () => expect(cases.length).toBeGreaterThanOrEqual(55));

  for (const dialect of dialects) {
    it.each(cases.map((recorded) => [recorded.name, recorded] as const))(
      `%s, as root, ${dialect}`,
      (_name, recorded) => {
        const verdict = judge(recorded, 'root', dialect);
        expect(`${verdict.verdict}: ${grade(recorded, verdict)}`).toMatch(/: (right|weak|tolerable)$/);
        // Every port that is said to be open to anywhere was reached; a target that is gone is the exception.
        const reached = new Set(recorded.openFromAnywhere);
        const claimed = exposedPorts(verdict).filter((port) => !reached.has(port));
        expect(grade(recorded, verdict) === 'tolerable' ? [] : claimed).toEqual([]);
        for (const port of reached) expect([port, portVerdict(verdict, port)]).not.toEqual([port, 'none']);
      },
    );

    it.each(cases.map((recorded) => [recorded.name, recorded] as const))(
      `%s, as nobody, ${dialect}`,
      (_name, recorded) => {
        const verdict = judge(recorded, 'user', dialect);
        expect(grade(recorded, verdict)).toMatch(/^(right|weak|tolerable)$/);
      },
    );
  }

  it('leave at most a tenth of the decidable ones unknown', () => {
    const decidable = cases.filter((recorded) => recorded.grading['unknown'] === 'weak');
    for (const dialect of dialects) {
      const unknown = decidable.filter((recorded) => judge(recorded, 'root', dialect).verdict === 'unknown');
      expect(unknown.length).toBeLessThanOrEqual(decidable.length / 10);
    }
  });

  it.each(Object.keys(SOURCES))('never say "not exposed" wrongly, nor "exposed", without %s', (without) => {
    const bad: string[] = [];
    for (const recorded of cases) {
      for (const as of users) {
        // Nobody reads no ruleset, so for nobody there is but one dialect.
        for (const dialect of as === 'root' ? dialects : dialects.slice(0, 1)) {
          const mark = grade(recorded, judge(recorded, as, dialect, without));
          if (mark !== 'right' && mark !== 'weak' && mark !== 'tolerable')
            bad.push(`${recorded.name} ${as} ${dialect}: ${mark}`);
        }
      }
    }
    expect(bad).toEqual([]);
  });
});

function portVerdict(verdict: ExposureVerdict, key: string): string | undefined {
  return verdict.ports.find((port) => `${port.proto}${port.family === 'ipv4' ? 4 : 6}/${port.port}` === key)?.openTo;
}
