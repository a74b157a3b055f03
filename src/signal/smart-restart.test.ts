import { bootedAt, factsOf, now, section } from '../../test/fixture/said';
import { findBootTime } from './boot-time';
import { smartRestart } from './smart-restart';
import type { Finding } from './signal';

function judge(text: string | null): Finding {
  const facts = factsOf();
  const said = text === null ? undefined : section('smart_restart', text);
  return smartRestart.judge(said, { facts, bootTime: findBootTime(facts) });
}

describe("Amazon Linux' mark", () => {
  test('counts from its birth: the script writes it in place', () => {
    expect(judge(`present\nstat=${now - 7200} ${now - 60}\n`)).toEqual({
      says: 'required',
      because: 'smart-restart advises to restart the host',
      since: [
        { atSeconds: now - 7200, evidence: 'birth' },
        { atSeconds: now - 60, evidence: 'modified' },
      ],
      packages: [],
    });
    expect(judge('present\n')).toMatchObject({ says: 'required', since: [] });
  });

  test('is passed over when it outlived a restart', () => {
    expect(judge(`present\nstat=0 ${bootedAt - 60}\n`).says).toBe('silent');
  });

  test('proves nothing by its absence', () => {
    expect(judge('').says).toBe('silent');
    expect(judge(null).says).toBe('silent');
  });
});
