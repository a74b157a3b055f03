import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HostRoot } from '../../test/fixture/host-root';
import { describeWith } from '../../test/fixture/programs';
import { now } from '../../test/fixture/said';
import { run } from '../../test/fixture/shell';
import { probeInput, probeProgram } from './program';

/** Names of the programs that a probe of this host starts, beside the shell. */
async function programs(root: HostRoot, exposure: boolean): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'trace-'));
  try {
    const trace = join(folder, 'trace');
    const request = probeInput('0', { exposure, sudo: false }, probeProgram(root.path));
    const { status } = await run(['strace', '-f', '-qq', '-e', 'trace=execve', '-o', trace, 'sh'], request);
    expect(status).toBe(0);
    // A call that another process interrupts has two lines: its beginning is counted.
    const calls = readFileSync(trace, 'utf8')
      .split('\n')
      .filter((line) => line.includes('execve(') && !line.includes(' = -1 '));
    return calls.slice(1).map((line) => /execve\("(?:[^"]*\/)?([^"/]*)"/.exec(line)?.[1] ?? line);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describeWith(['strace', 'dpkg-query'], 'the programs that a probe starts', () => {
  let root: HostRoot;
  beforeEach(() => {
    root = new HostRoot();
  });
  afterEach(() => root.remove());

  /** Those of the exposure's fingerprint are bounded apart. */
  const fingerprint = ['sed', 'sort', 'cksum'];
  const ofRestart = async (): Promise<string[]> =>
    (await programs(root, false)).filter((name) => !fingerprint.includes(name)).sort();

  test('are few on an ordinary host', async () => {
    // Readable for root alone, as a rule.
    root.removeFile('proc/1/environ');
    const started = await ofRestart();
    // apt-config is not on every machine of the tests.
    expect(started.filter((name) => name !== 'apt-config')).toEqual([
      'date',
      'dpkg-query',
      'grep',
      'grep',
      'stat',
      'stat',
    ]);
  });

  test('are few more where a restart is needed, however many packages ask for it', async () => {
    const before = (await ofRestart()).length;
    root.write('run/reboot-required', '', now - 60);
    root.write(
      'run/reboot-required.pkgs',
      Array.from({ length: 500 }, (_, at) => `package-${at}\n`).join(''),
      now - 60,
    );
    expect((await ofRestart()).length - before).toBeLessThanOrEqual(4);
  });

  test('are none for systems that this one is not', async () => {
    const started = await programs(root, false);
    for (const name of ['rpm', 'awk', 'find', 'cat', 'id', 'uname', 'dpkg', 'sudo', 'ls', 'readlink'])
      expect(started).not.toContain(name);
  });

  test('stay within their bound with the firewall read as well', async () => {
    expect((await programs(root, true)).length).toBeLessThanOrEqual(60);
  });
});
