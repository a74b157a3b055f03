import { bootedAt, factsOf, now, section, type Said } from '../../test/fixture/said';
import { findBootTime } from './boot-time';
import type { Finding } from './signal';
import { snap } from './snap';

const core = 'ID=ubuntu-core\nVERSION_ID="22"\nPRETTY_NAME="Ubuntu Core 22"\n';

function judge(lines: readonly string[], said: Said = {}, status = 0): Finding {
  const facts = factsOf({
    os: core,
    packages: null,
    release: '5.15.0-126-generic',
    version: '#136-Ubuntu SMP',
    ...said,
  });
  return snap.judge(section('snap', lines.map((line) => `${line}\n`).join(''), status), {
    facts,
    bootTime: findBootTime(facts),
  });
}

const running = ['mode=run', 'base=core22_1663.snap', 'current_kernels=pc-kernel_2053.snap'];
const modified = `modified=${now - 300}`;

describe('what the next start of Ubuntu Core is to try', () => {
  test('nothing: no', () => {
    expect(judge([...running, modified])).toEqual({
      says: 'not_required',
      because: 'pc-kernel_2053.snap runs and nothing waits to be tried',
    });
  });

  test('a kernel: yes', () => {
    const lines = [
      'mode=run',
      'base=core22_1663.snap',
      'current_kernels=pc-kernel_2053.snap,pc-kernel_2098.snap',
      modified,
    ];
    expect(judge(lines)).toEqual({
      says: 'required',
      because: 'the next start is to try pc-kernel_2098.snap',
      since: [{ atSeconds: now - 300, evidence: 'modified' }],
      packages: ['pc-kernel_2098.snap'],
    });
  });

  test('a base: yes', () => {
    expect(judge([...running, 'try_base=core22_1748.snap', 'base_status=try', modified])).toMatchObject({
      says: 'required',
      packages: ['core22_1748.snap'],
    });
  });

  test('a base that is being tried runs already', () => {
    expect(judge([...running, 'try_base=core22_1748.snap', 'base_status=trying', modified]).says).toBe('not_required');
  });

  test('two kernels from before the boot: one of them came up, and snapd has yet to note which', () => {
    const lines = ['mode=run', 'current_kernels=pc-kernel_2053.snap,pc-kernel_2098.snap', `modified=${bootedAt - 60}`];
    expect(judge(lines)).toEqual({
      says: 'unknown',
      because: 'snapd has yet to note whether pc-kernel_2098.snap came up',
    });
  });

  test.each([
    ['a recovery', ['mode=recover', 'current_kernels=a.snap,b.snap']],
    ['no mode', ['current_kernels=a.snap']],
    ['no kernel', ['mode=run', 'base=core22_1.snap']],
  ])('it can not be told of %s', (_what, lines) => {
    expect(judge(lines).says).toBe('unknown');
  });

  test('without the file: unknown on Ubuntu Core, silent elsewhere', () => {
    expect(judge([], {}, 4).says).toBe('unknown');
    expect(judge([], { os: 'ID=ubuntu\n' }, 4).says).toBe('silent');
  });
});
