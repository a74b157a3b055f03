import { bootedAt, factsOf, now, section, type Said } from '../../test/fixture/said';
import { findBootTime } from './boot-time';
import { libc } from './libc';
import type { Finding } from './signal';

const alpine = 'ID=alpine\n';
const arch = 'ID=manjaro\nID_LIKE=arch\n';

function judge(os: string, text: string, said: Said = {}, status = 0): Finding {
  const facts = factsOf({ os, packages: null, ...said });
  return libc.judge(section('libc', text, status), { facts, bootTime: findBootTime(facts) });
}

const musl = (atSeconds: number): string => `replaced=${atSeconds} /lib/ld-musl-x86_64.so.1\n`;

describe('the C library on Arch and Alpine', () => {
  test('was replaced after the boot: yes, since then', () => {
    expect(judge(alpine, musl(now - 60))).toEqual({
      says: 'required',
      because: 'musl was replaced after this boot',
      since: [{ atSeconds: now - 60, evidence: 'package' }],
      packages: ['musl'],
    });
    expect(judge(arch, `replaced=${now - 60} /usr/lib/libc.so.6\n`)).toMatchObject({ packages: ['glibc'] });
  });

  test('is older: silent, for that says nothing of the kernel; in a container no', () => {
    expect(judge(alpine, musl(bootedAt - 60)).says).toBe('silent');
    expect(judge(alpine, musl(bootedAt + 3)).says).toBe('silent');
    expect(judge(alpine, musl(bootedAt - 60), { container: 'lxc', initStart: 100 }).says).toBe('not_required');
    expect(judge(alpine, musl(bootedAt + 3600), { container: 'lxc', initStart: 100 }).says).toBe('required');
  });

  test.each(['', 'replaced=x /y\n', 'replaced=\n'])('%j does not tell', (text) => {
    expect(judge(alpine, text, {}, 4).says).toBe('unknown');
  });

  test('does not tell where the boot is not known, or lies in the future of the clock', () => {
    expect(judge(alpine, musl(now - 60), { bootedAt: null, uptime: null }).says).toBe('unknown');
    expect(judge(alpine, musl(now + 3600)).says).toBe('unknown');
  });

  test('is of no concern elsewhere', () => {
    expect(judge('ID=debian\n', musl(now - 60)).says).toBe('silent');
  });
});
