import { bootedAt, factsOf, now, section, type Said } from '../../test/fixture/said';
import { findBootTime } from './boot-time';
import type { Finding } from './signal';
import { updateEngine } from './update-engine';

const flatcar = 'ID=flatcar\nID_LIKE=coreos\nVERSION_ID=3975.2.2\n';

function judge(text: string, said: Said = {}, status = 0): Finding {
  const facts = factsOf({ os: flatcar, packages: null, release: '6.6.54-flatcar', version: '#1 SMP', ...said });
  return updateEngine.judge(section('update_engine', text, status), { facts, bootTime: findBootTime(facts) });
}

describe('what update_engine leaves in /run', () => {
  test('is there: yes, since it was made', () => {
    expect(judge(`present=1\nborn=${now - 90}\nmodified=${now - 60}\n`)).toEqual({
      says: 'required',
      because: 'update_engine has written an update to the other partition',
      since: [
        { atSeconds: now - 90, evidence: 'birth' },
        { atSeconds: now - 60, evidence: 'modified' },
      ],
      packages: [],
    });
  });

  test.each(['born=0', 'born=-', 'born=W', ''])('birth times may be missing: %j', (born) => {
    expect(judge(`present=1\n${born}\nmodified=${now - 60}\n`)).toMatchObject({
      since: [{ atSeconds: now - 60, evidence: 'modified' }],
    });
  });

  test('is not there: no', () => {
    expect(judge('')).toEqual({ says: 'not_required', because: 'update_engine has applied no update in this boot' });
  });

  test('is older than the boot: no', () => {
    expect(judge(`present=1\nborn=0\nmodified=${bootedAt - 600}\n`).says).toBe('not_required');
  });

  test('can not be seen: it can not be told', () => {
    expect(judge('', {}, 1).says).toBe('unknown');
  });

  test('is of no concern elsewhere', () => {
    expect(judge(`present=1\n`, { os: 'ID=debian\n' }).says).toBe('silent');
  });
});
