import { copyFileSync, mkdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findProgram, describeWith } from '../../test/fixture/programs';
import { HostRoot } from '../../test/fixture/host-root';
import { day, now, bootedAt, bootId } from '../../test/fixture/said';
import { run, shells, type Ran } from '../../test/fixture/shell';
import { readFacts } from '../reading';
import { decodeAnswer } from '../report/frame';
import type { Sections } from '../report/section';
import { assessRestart, type RestartState } from '../restart/restart';
import { probeInput, probeProgram, requestLine } from './program';

const nonce = '00112233445566778899aabbccddeeff';
const everything = { exposure: true, sudo: false };
const restartOnly = { exposure: false, sudo: false };

let root: HostRoot;
beforeEach(() => {
  root = new HostRoot();
});
afterEach(() => root.remove());

async function probe(
  command: readonly string[],
  wish = everything,
  env: NodeJS.ProcessEnv = {},
  cwd = '/',
): Promise<Sections> {
  const { output } = await run(command, probeInput(nonce, wish, probeProgram(root.path)), env, cwd);
  return (await decodeAnswer(output, nonce)).sections;
}

/** What came, in a form that is easy to compare; the clock is another one each time. */
function texts(sections: Sections): Record<string, string> {
  return Object.fromEntries(
    [...sections].map(([name, { status, body }]) => {
      const text = body.toString('latin1');
      return [name, `${status}: ${name === 'clock' ? text.replace(/[0-9]/g, '9') : text}`];
    }),
  );
}

/** BusyBox may run its own date and stat for those of the system: they know no nanoseconds and no birth times. */
function withoutApplets(sections: Record<string, string>): Record<string, string> {
  const birth = /^(stat=[a-z.-]+) \S+/gm;
  return Object.fromEntries(
    Object.entries(sections).map(([name, text]) => [
      name,
      name === 'clock' ? text.replace(/\..*/, '') : name === 'flag' ? text.replace(birth, '$1 born') : text,
    ]),
  );
}

async function assess(): Promise<RestartState> {
  const sections = await probe(['sh'], restartOnly);
  const clock = { name: 'clock', status: 0, body: Buffer.from(`date=${now}.5\n`) };
  const all = new Map([...sections, ['clock', clock]]);
  return assessRestart(readFacts(all), all, null).state;
}

describe('the probe program', () => {
  test('reads an ordinary host', async () => {
    const facts = readFacts(await probe(['sh'], restartOnly));
    expect(facts).toMatchObject({
      boot: { id: bootId, kernelTimeSeconds: bootedAt, uptimeSeconds: 172_800.5, initStartSeconds: 0.37 },
      kernel: { release: '6.1.0-27-amd64', signature: null },
      os: { id: 'debian', versionId: '12' },
      machine: { container: null, virtualization: 'qemu' },
      patching: { lastRunSeconds: now - 3600 },
      scheduled: { atSeconds: null, mode: null },
    });
    expect(facts.clock.nowSeconds).toBeGreaterThan(Date.now() / 1000 - 60);
    expect(facts.dpkg.packages?.map(({ name, version, state }) => [name, version, state])).toEqual([
      ['libc6', '2.36-9+deb12u9', 'ii '],
      ['linux-base', '4.9', 'ii '],
      ['linux-image-6.1.0-27-amd64', '6.1.115-1', 'ii '],
      ['unattended-upgrades', '2.9.1+nmu3', 'ii '],
    ]);
    expect(facts.dpkg.installedAtSeconds.get('libc6')).toBe(bootedAt - 30 * day);
  });

  test('needs nothing to be told "not required"', async () => {
    expect(await assess()).toMatchObject({ verdict: 'not_required', reasons: [] });
  });

  test('finds the flag, its packages and when each was unpacked', async () => {
    root.install('dbus', '1.14.10-1', now - 7200);
    root.write('run/reboot-required', '', now - 60);
    root.write('run/reboot-required.pkgs', 'dbus\nlinux-base\ndbus\nsnap:core22\n$(touch /tmp/x)\n../../x\n', now - 60);
    // The file was born when this test wrote it, long before the clock of the host: its time can't be credible.
    expect(await assess()).toMatchObject({
      verdict: 'required',
      reasons: ['flag'],
      packages: ['$(touch /tmp/x)', '../../x', 'dbus', 'linux-base', 'snap:core22'],
      sinceSeconds: now - 7200,
      evidence: 'package',
    });
  });

  test('finds a flag that is a dangling link', async () => {
    root.link('run/reboot-required', '/nowhere');
    expect((await assess()).verdict).toBe('required');
  });

  test('finds a flag that outlived its restart', async () => {
    root.write('run/reboot-required', '', bootedAt - 60);
    expect(await assess()).toMatchObject({ verdict: 'not_required' });
  });

  test('finds a newer kernel', async () => {
    root.install('linux-image-6.1.0-100-amd64', '6.1.999-1', now - 3600);
    expect(await assess()).toMatchObject({ verdict: 'required', reasons: ['kernel'], sinceSeconds: now - 3600 });
  });

  test('finds each sign of a container', async () => {
    for (const [file, text, kind] of [
      ['run/systemd/container', 'lxc\n', 'lxc'],
      ['run/systemd/container', '', 'container'],
      ['run/.containerenv', '', 'podman'],
      ['.dockerenv', '', 'docker'],
      ['proc/1/environ', 'HOME=/\0container=systemd-nspawn\0', 'systemd-nspawn'],
    ] as const) {
      root.write(file, text);
      expect(readFacts(await probe(['sh'], restartOnly)).machine.container).toBe(kind);
      root.removeFile(file);
    }
  });

  test('finds a masked, a disabled and no timer', async () => {
    const timer = 'etc/systemd/system/apt-daily-upgrade.timer';
    const said = async (): Promise<string> => texts(await probe(['sh'], restartOnly))['patching'] ?? '';
    expect(await said()).toContain('timer=enabled\n');
    root.link(timer, '/dev/null');
    expect(await said()).toContain('timer=masked\n');
    root.removeFile(timer);
    root.link('run/systemd/system/apt-daily-upgrade.timer', '/dev/null');
    expect(await said()).toContain('timer=masked\n');
    root.removeFile('run/systemd/system/apt-daily-upgrade.timer');
    root.removeFile('etc/systemd/system/timers.target.wants');
    expect(await said()).toContain('timer=disabled\n');
    root.removeFile('run/systemd');
    expect(await said()).toContain('timer=none\n');
  });

  test('finds a restart that is scheduled', async () => {
    root.write('run/systemd/shutdown/scheduled', 'USEC=1795399200000000\nWARN_WALL=1\nMODE=reboot\n');
    const { scheduled } = readFacts(await probe(['sh'], restartOnly));
    expect(scheduled).toEqual({ atSeconds: 1_795_399_200, mode: 'reboot' });
  });

  test('says nothing and is well where everything is missing: unknown, never no, never yes', async () => {
    for (const folder of ['proc', 'run', 'var', 'etc', 'sys']) root.removeFile(folder);
    const sections = await probe(['sh']);
    expect(sections.get('flag')?.status).not.toBe(0);
    expect(sections.get('os')?.status).not.toBe(0);
    expect((await assess()).verdict).toBe('unknown');
  });

  test('changes nothing', async () => {
    root.write('run/reboot-required', '');
    root.write('run/reboot-required.pkgs', 'dbus\n');
    const before = root.snapshot();
    await probe(['sh']);
    expect(root.snapshot()).toEqual(before);
  });

  test('bounds what it sends of a long list of packages', async () => {
    root.write('run/reboot-required', '');
    root.write('run/reboot-required.pkgs', 'package-name\n'.repeat(200_000));
    const body = (await probe(['sh'], restartOnly)).get('flag')?.body;
    expect(body?.length).toBeLessThan(1_048_576 + 1000);
  });

  test('sends the rules only when it is asked for them, and compressed', async () => {
    const without = await probe(['sh'], restartOnly);
    const withThem = await probe(['sh'], everything);
    const added = [...withThem.keys()].filter((name) => !without.has(name));
    expect([...without.keys()].every((name) => withThem.has(name))).toBe(true);
    expect(added.length).toBeGreaterThan(5);
    const { output } = await run(['sh'], probeInput(nonce, everything, probeProgram(root.path)));
    expect(output.toString('latin1')).toContain(`=${nonce} begin gzip\n`);
  });
});

describe('the same on every shell that may be /bin/sh', () => {
  beforeEach(() => {
    root.install('dbus', '1.14.10-1', now - 7200);
    root.install('linux-image-6.1.0-28-amd64', '6.1.119-1', now - 3600);
    root.write('run/reboot-required', '', now - 60);
    root.write('run/reboot-required.pkgs', 'dbus\n\nsnap:core22\n*\n?\nlinux-image-6.1.0-28-amd64', now - 60);
    root.write('proc/version_signature', 'Ubuntu 6.8.0-45.45-generic 6.8.12');
    root.write('run/systemd/shutdown/scheduled', 'USEC=1795399200000000\nMODE=reboot\n');
    root.write('run/systemd/container', 'a "quoted" \\name\\ with  spaces');
    for (const [tool, text] of [
      ['nft', '{"nftables": []}'],
      ['ip', '[]'],
      ['iptables-save', '*filter\nCOMMIT'],
    ] as const) {
      root.program(`usr/sbin/${tool}`, `#!/bin/sh\necho '${text}'; echo "$*"; echo >&2 noise; exit 3\n`);
    }
  });

  for (const shell of shells) {
    describeWith([shell[0]], shell.join(' '), () => {
      const comparable = (sections: Sections): Record<string, string> =>
        shell[0] === 'busybox' ? withoutApplets(texts(sections)) : texts(sections);

      test('gives the same sections, byte for byte but for the clock', async () => {
        const ours = comparable(await probe(shell));
        expect(Object.keys(ours).length).toBeGreaterThan(20);
        expect(ours).toEqual(comparable(await probe(['/bin/sh'])));
      });

      test('gives them also with a hostile environment and working directory', async () => {
        const hostile = new HostRoot();
        try {
          for (const name of ['-rf', 'libc6', 'dbus', 'a b', 'exposure', 'request=x']) hostile.write(name, 'x');
          const env = {
            IFS: 'abcdef=/',
            CDPATH: '/',
            LC_ALL: 'tr_TR.UTF-8',
            ENV: '/nowhere',
            BASH_ENV: '/nowhere',
            POSIXLY_CORRECT: '1',
          };
          const ours = comparable(await probe(shell, everything, env, hostile.path));
          expect(ours).toEqual(comparable(await probe(['/bin/sh'])));
        } finally {
          hostile.remove();
        }
      });

      test('gives them as a forced command, with the request and the whole program on standard input', async () => {
        root.write('usr/local/lib/reboot-exporter/probe', probeProgram(root.path));
        const file = join(root.path, 'usr/local/lib/reboot-exporter/probe');
        const ran = await run([...shell, file], probeInput(nonce, restartOnly, 'echo this must not run; exit 9\n'));
        expect(ran.status).toBe(0);
        expect(ran.output.toString()).not.toContain('this must not run');
        const { sections } = await decodeAnswer(ran.output, nonce);
        expect(comparable(sections)).toEqual(comparable(await probe(['/bin/sh'], restartOnly)));
      });

      test('does nothing of a program that is cut off, wherever that is', async () => {
        const program = probeInput(nonce, everything, probeProgram(root.path));
        const end = program.lastIndexOf('}') + 1;
        const lengths = [0, ...Array.from({ length: 25 }, (_, at) => Math.floor((at * end) / 25))];
        for (let back = 1; back < 60; back += 3) lengths.push(end - back);
        for (const length of lengths) {
          const { output } = await run(shell, program.subarray(0, length));
          expect(`${length}: ${output.toString()}`).toBe(`${length}: `);
        }
      });
    });
  }
});

describe('how it is started', () => {
  function names(ran: Ran, withNonce: string): Promise<string[]> {
    return decodeAnswer(ran.output, withNonce).then(({ sections }) => [...sections.keys()]);
  }

  test('by hand, from a pipe without a request, it sends everything', async () => {
    const ran = await run(['sh'], probeProgram(root.path));
    expect(await names(ran, '0')).toEqual(
      await names(await run(['sh'], probeInput('0', everything, probeProgram(root.path))), '0'),
    );
  });

  test('as a forced command, a request is taken only in the form that it has', async () => {
    root.program('probe', probeProgram(root.path));
    const file = join(root.path, 'probe');
    for (const line of [
      "request='nonce=$(id) exposure; id'",
      "request='nonce=../x'",
      'id',
      "request='nonce='",
      '',
      "request='*'",
    ]) {
      const ran = await run([file], `${line}\n`, {}, root.path);
      expect(ran.status).toBe(0);
      expect(ran.errors).toBe('');
      expect((await names(ran, '0')).length).toBeGreaterThan(8);
    }
  });

  test('as a forced command, it does not wait for the end of its input', async () => {
    root.program('probe', probeProgram(root.path));
    const request = `${requestLine(nonce, restartOnly)}${'x'.repeat(1_000_000)}`;
    const ran = await run([join(root.path, 'probe')], request);
    expect((await names(ran, nonce)).length).toBeGreaterThan(8);
  });

  test('after the noise of a login shell it is understood all the same', async () => {
    const noisy = `echo 'Welcome to host'; printf 'no line break'; `;
    const ran = await run(
      ['sh', '-c', `${noisy} exec /bin/sh`],
      probeInput(nonce, restartOnly, probeProgram(root.path)),
    );
    expect((await names(ran, nonce)).length).toBeGreaterThan(8);
  });

  test('it reads nothing of what follows it, and no command in it reads its input', async () => {
    const ran = await run(
      ['sh'],
      `${probeInput(nonce, everything, probeProgram(root.path)).toString()}echo not this\n`,
    );
    expect(ran.output.toString('latin1')).not.toContain('not this');
    expect(ran.status).toBe(0);
  });
});

describeWith(['busybox', 'chroot', 'root'], 'on a host of BusyBox alone', () => {
  test('the program reads the flag, whose birth time is not told there', async () => {
    const busybox = findProgram('busybox') ?? '';
    mkdirSync(join(root.path, 'bin'), { recursive: true });
    copyFileSync(busybox, join(root.path, 'bin/busybox'));
    for (const library of await librariesOf(busybox)) {
      mkdirSync(dirname(join(root.path, library)), { recursive: true });
      copyFileSync(library, join(root.path, library));
    }
    for (const applet of [
      'sh',
      'cat',
      'date',
      'grep',
      'head',
      'id',
      'sed',
      'sort',
      'stat',
      'tr',
      'uname',
      'gzip',
      'wc',
      'cksum',
    ]) {
      symlinkSync('busybox', join(root.path, 'bin', applet));
    }
    root.write('run/reboot-required', '', now - 60);
    root.write('dev/null', '');
    const { output } = await run(['chroot', root.path, '/bin/sh'], probeInput(nonce, everything));
    const { sections } = await decodeAnswer(output, nonce);
    expect(sections.get('dpkg')?.status).toBe(127);
    expect(sections.get('flag')?.body.toString()).toMatch(/stat=reboot-required W [0-9]+ 0\n/);
    const facts = readFacts(sections);
    expect(facts.clock.nowSeconds).toBeGreaterThan(1.7e9);
    const clock = { name: 'clock', status: 0, body: Buffer.from(`date=${now}\n`) };
    const all = new Map([...sections, ['clock', clock]]);
    expect(assessRestart(readFacts(all), all, null).state).toMatchObject({
      verdict: 'required',
      evidence: 'modified',
      sinceSeconds: now - 60,
    });
  });
});

/** The files that a program is linked with; none of a static one. */
async function librariesOf(program: string): Promise<string[]> {
  const { output } = await run(['ldd', program], '');
  return [...output.toString().matchAll(/(\/[^ ]+) \(0x/g)].map((found) => found[1] ?? '');
}

test('the program is in ASCII, for some shells stop at other characters in the C locale', () => {
  expect(probeProgram()).toMatch(/^[\n\x20-\x7e]+$/);
});

describeWith(['shellcheck'], 'shellcheck', () => {
  test('finds nothing', async () => {
    const ran = await run(['shellcheck', '-s', 'sh', '-'], probeProgram());
    expect(ran.output.toString()).toBe('');
    expect(ran.status).toBe(0);
  });
});
