import { appendFileSync } from 'node:fs';
import { join } from 'node:path';

interface Reporter {
  onRunStart(): void;
  onRunComplete(contexts: unknown, results: { numTotalTestSuites: number }): Promise<void>;
  getLastError(): Error | undefined;
}
const Reporter = require('./secret-reporter.js') as new () => Reporter;

describe('the search for secrets in what exporters said', () => {
  const before = process.env['REBOOT_EXPORTER_TEST_SEEN'];
  let reporter: Reporter;

  beforeEach(() => {
    jest.spyOn(process.stderr, 'write').mockReturnValue(true);
    reporter = new Reporter();
    reporter.onRunStart();
  });

  afterEach(() => {
    jest.restoreAllMocks();
    process.env['REBOOT_EXPORTER_TEST_SEEN'] = before;
  });

  function put(file: 'seen' | 'secrets', value: unknown): void {
    appendFileSync(join(process.env['REBOOT_EXPORTER_TEST_SEEN'] ?? '', file), `${JSON.stringify(value)}\n`);
  }

  async function errorOf(files = 1): Promise<string | undefined> {
    await reporter.onRunComplete(undefined, { numTotalTestSuites: files });
    return reporter.getLastError()?.message;
  }

  it('fails a run in which a secret was let out, and does not repeat it', async () => {
    put('secrets', 'pä55word');
    put('seen', { kind: 'metrics', test: 'a.test.ts', text: 'up 1' });
    put('seen', { kind: 'log', test: 'b.test.ts', text: Buffer.from('user=me password=pä55word').toString('latin1') });
    const error = await errorOf();
    expect(error).toMatch(/b\.test\.ts: log, at 17, a secret of \d+ characters after "user=me password="/);
    expect(error).not.toContain('55word');
  });

  it('lets a run pass in which none was', async () => {
    put('secrets', 'password');
    put('seen', { kind: 'log', test: 'b.test.ts', text: 'nothing' });
    expect(await errorOf()).toBeUndefined();
    expect(process.stderr.write).toHaveBeenCalledWith(expect.stringMatching(/1 outputs .* searched for 1 secrets/));
  });

  it('fails a run of the whole suite in which next to nothing was gathered', async () => {
    put('secrets', 'password');
    expect(await errorOf(150)).toContain('worth nothing');
  });
});
