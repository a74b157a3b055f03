import { join } from 'node:path';
import fc from 'fast-check';
import { DEFAULT_BOUNDS, evaluateExposure, examineExposure } from '../../src/exposure/evaluate';
import { parseExposureFacts } from '../../src/exposure/facts';
import { mutation, spoiled } from './mutation';
import { readCases, sectionsOf } from './recorded-case';

jest.setTimeout(600_000);

const settings = { mode: 'evaluate', public: true, edge: null, ignore: [], dialledAddress: null } as const;

// The largest recorded set would take most of the time.
const cases = readCases(join(__dirname, 'cases')).filter(({ name }) => !name.includes('10k'));

/** More, and other ones, when it is asked for: MUTATIONS=100000 npx jest test/exposure/mutation */
const runs = Number(process.env['MUTATIONS'] ?? 600);

/** As many steps as are made on the event loop; a busy machine may take long for them. */
const bounds = { ...DEFAULT_BOUNDS, operations: 20_000 };
const PATIENCE_MS = 5000;

const change = fc.record({ which: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), how: mutation });

describe('recorded reports, spoiled', () => {
  it('are evaluated without a fault, in bounded time', () => {
    let slowest = 0;
    fc.assert(
      fc.property(
        fc.constantFrom(...cases),
        fc.constantFrom('nft.json' as const, 'nft-1.1.3.json' as const),
        fc.array(change, { minLength: 1, maxLength: 4 }),
        (recorded, dialect, changes) => {
          const sections = spoiled(sectionsOf(recorded, 'root', dialect), changes);
          const start = performance.now();
          const facts = parseExposureFacts(sections);
          // Not evaluateExposure alone, which would hide a fault behind "unknown".
          examineExposure(facts, settings, bounds);
          slowest = Math.max(slowest, performance.now() - start);
          const verdict = evaluateExposure(facts, settings, bounds);
          expect(verdict.because).not.toContain('the evaluation failed');
          expect(Math.max(0, ...verdict.ports.map(({ because }) => because.length))).toBeLessThanOrEqual(400);
          const keys = verdict.ports.map(({ proto, port, family }) => `${proto} ${port} ${family}`);
          expect(new Set(keys).size).toBe(keys.length);
        },
      ),
      { numRuns: runs },
    );
    expect(slowest).toBeLessThan(PATIENCE_MS);
  });

  it('whose rulesets are cut off are never "not exposed" where somebody got in', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...cases.filter(({ openFromAnywhere }) => openFromAnywhere.length > 0)),
        fc.constantFrom(
          'nft.json',
          'iptables-save.txt',
          'ip6tables-save.txt',
          'iptables-legacy-save.txt',
          'ip_addr.json',
        ),
        fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
        (recorded, file, at) => {
          const whole = recorded.root[file];
          if (whole === undefined) return;
          // A program that is killed in the middle of a line leaves that line, and a status that is not looked at here.
          const text = whole.text.slice(0, Math.floor(at * whole.text.length));
          if (text.endsWith('\n') || text === '') return;
          const cut = { ...recorded, root: { ...recorded.root, [file]: { status: 0, text } } };
          const verdict = evaluateExposure(parseExposureFacts(sectionsOf(cut, 'root', 'nft.json')), settings);
          expect([recorded.name, file, verdict.verdict]).not.toEqual([recorded.name, file, 'not_exposed']);
        },
      ),
      { numRuns: runs },
    );
  });
});
