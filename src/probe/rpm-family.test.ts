import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HostRoot } from '../../test/fixture/host-root';
import { describeWith, findProgram } from '../../test/fixture/programs';
import { buildRpms, redHatKernel, rpmFile, type RpmPackageSpec } from '../../test/fixture/rpm-package';
import { now } from '../../test/fixture/said';
import { run, shells } from '../../test/fixture/shell';
import { readFacts, type HostFacts } from '../reading';
import { decodeAnswer } from '../report/frame';
import { probeInput, probeProgram } from './program';

const nonce = '00112233445566778899aabbccddeeff';
const restartOnly = { exposure: false, sudo: false };

const kernel: RpmPackageSpec = redHatKernel('kernel-core', '5.14.0', '427.el9');
const built: readonly RpmPackageSpec[] = [
  kernel,
  redHatKernel('kernel-core', '5.14.0', '503.el9'),
  redHatKernel('kernel6.12', '6.12.23', '29.97.amzn2023'),
  { name: 'glibc', version: '2.34', release: '125.el9' },
  { name: 'dbus-broker', version: '28', release: '7.el9', epoch: 1 },
  { name: 'other', version: '1', release: '1' },
];

/** Holds rpm's database as rpm does while it installs, or for itself alone, until its input ends. */
const lockProgram = `
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute('PRAGMA locking_mode=' + sys.argv[2])
database.execute('BEGIN EXCLUSIVE')
database.execute('CREATE TABLE locked(x)')
print('locked', flush=True)
sys.stdin.read()
`;

let packages: string;
let root: HostRoot;

/** A RHEL 9 whose database the real rpm has written. */
async function install(folder: string, ...specs: readonly RpmPackageSpec[]): Promise<void> {
  root.makeFolder(folder);
  const command = ['rpm', '--dbpath', join(root.path, folder), '--nodeps', '--justdb', '--ignorearch', '-i'];
  const { status, errors } = await run([...command, ...specs.map((spec) => join(packages, rpmFile(spec)))], '');
  expect(`${status} ${status === 0 ? '' : errors}`).toBe('0 ');
}

async function probe(shell: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Record<string, string>> {
  const { output } = await run(shell, probeInput(nonce, restartOnly, probeProgram(root.path)), env);
  const { sections } = await decodeAnswer(output, nonce);
  return Object.fromEntries(
    [...sections].map(([name, { status, body }]) => [name, `${status}: ${body.toString('latin1')}`]),
  );
}

async function facts(): Promise<HostFacts> {
  const { output } = await run(['sh'], probeInput(nonce, restartOnly, probeProgram(root.path)));
  return readFacts((await decodeAnswer(output, nonce)).sections);
}

beforeEach(() => {
  root = new HostRoot();
  root.removeFile('var/lib/dpkg');
  root.write('etc/os-release', 'ID="rhel"\nID_LIKE="fedora"\nVERSION_ID="9.5"\n');
  root.write('proc/sys/kernel/osrelease', '5.14.0-427.el9.x86_64\n');
});
afterEach(() => root.remove());

describeWith(['rpm', 'rpmbuild', 'python3'], 'on systems of rpm', () => {
  beforeAll(async () => {
    packages = mkdtempSync(join(tmpdir(), 'rpms-'));
    await buildRpms(packages, built);
  });
  afterAll(() => rmSync(packages, { recursive: true, force: true }));

  test.each(['usr/lib/sysimage/rpm', 'var/lib/rpm', 'usr/share/rpm'])('a database in /%s is read', async (folder) => {
    const before = Math.floor(Date.now() / 1000);
    await install(folder, ...built);
    const { rpm } = await facts();
    const found = rpm.packages?.map(({ name, epoch, version, release, architecture }) =>
      [name, epoch, version, release, architecture].join(' '),
    );
    expect(found?.sort()).toEqual([
      'dbus-broker 1 28 7.el9 x86_64',
      'glibc 0 2.34 125.el9 x86_64',
      'kernel-core 0 5.14.0 427.el9 x86_64',
      'kernel-core 0 5.14.0 503.el9 x86_64',
      // It is found as it provides what each kernel does, though not of the series that runs.
      'kernel6.12 0 6.12.23 29.97.amzn2023 x86_64',
    ]);
    for (const { installedAtSeconds } of rpm.packages ?? []) {
      expect(installedAtSeconds).toBeGreaterThanOrEqual(before);
      expect(installedAtSeconds).toBeLessThanOrEqual(Date.now() / 1000);
    }
  });

  test("a kernel that provides nothing but its name is found by the series that runs, as Amazon's", async () => {
    const bare = { name: 'kernel5.14', version: '5.14.0', release: '1.amzn2023' };
    await buildRpms(packages, [bare]);
    await install('var/lib/rpm', bare, { name: 'glibc', version: '2.34', release: '125.el9' });
    expect((await facts()).rpm.packages?.map(({ name }) => name).sort()).toEqual(['glibc', 'kernel5.14']);
  });

  test('a database that is broken, denied or not to be asked is unknown, never empty', async () => {
    await install('var/lib/rpm', ...built);
    root.write('var/lib/rpm/rpmdb.sqlite', 'this is no database, whatever its name is'.repeat(200));
    expect((await facts()).rpm).toMatchObject({ hasDatabase: true, packages: null });
    root.removeFile('var/lib/rpm');
    root.write('var/lib/rpm/rpmdb.sqlite', '');
    expect((await facts()).rpm).toMatchObject({ hasDatabase: false, packages: [] });
  });

  test('there is no database: nothing is asked, and none is made', async () => {
    root.makeFolder('var/lib/rpm');
    const before = root.snapshot();
    expect((await facts()).rpm).toMatchObject({ hasDatabase: false, packages: [] });
    expect(root.snapshot()).toEqual(before);
  });

  test('a transaction that is under way does not disturb it, and a lock is not waited for', async () => {
    await install('usr/lib/sysimage/rpm', ...built);
    for (const [mode, expected] of [
      ['NORMAL', 5],
      ['EXCLUSIVE', undefined],
    ] as const) {
      const locker = spawn('python3', ['-c', lockProgram, join(root.path, 'usr/lib/sysimage/rpm/rpmdb.sqlite'), mode]);
      try {
        await once(locker.stdout, 'data');
        expect((await facts()).rpm.packages?.length).toBe(expected);
      } finally {
        locker.stdin.end();
        await once(locker, 'close');
      }
    }
  }, 20_000);

  test('an rpm that hangs is given up', async () => {
    await install('var/lib/rpm', ...built);
    root.program('bin/rpm', '#!/bin/sh\nexec sleep 30\n');
    const program = probeProgram(root.path).replace('PATH=/usr/sbin', `PATH=${join(root.path, 'bin')}:/usr/sbin`);
    const started = Date.now();
    const { output } = await run(['sh'], probeInput(nonce, restartOnly, program));
    const { sections } = await decodeAnswer(output, nonce);
    expect(readFacts(sections).rpm).toMatchObject({ hasDatabase: true, packages: null });
    expect(Date.now() - started).toBeLessThan(8000);
  }, 20_000);

  for (const shell of shells) {
    describeWith([shell[0]], shell.join(' '), () => {
      test('sends the same, byte for byte', async () => {
        await install('usr/lib/sysimage/rpm', ...built);
        root.link('run/systemd/units/invocation:systemd-tmpfiles-setup.service', '0123456789abcdef');
        root.write('run/smart-restart/reboot-hint-marker', '', now - 60);
        root.write('etc/dnf/plugins/needs-restarting.d/a.conf', 'other\n\n-rf\n*\n$(id)\n ../x\nnot-there\n');
        root.write('etc/dnf/plugins/needs-restarting.d/b.conf', 'glibc');
        root.write('run/reboot-needed', 'soft-reboot', now - 60);
        await listenAt('run/dbus/system_bus_socket', async () => {
          const expected = await comparable(['dash']);
          expect(expected['rpm']).toContain('\nbus\nstarted=');
          expect(expected['rpm']).toContain('|glibc|0|2.34|125.el9|'.slice(1));
          expect(expected['rpm']).toContain('\nadded=other\nadded=not-there\nadded=glibc\n');
          expect(expected['rpm']).toContain('=other|0|1|1|');
          expect(expected['reboot_needed']).toContain('\nlevel=soft-reboot\n');
          expect(expected['smart_restart']).toMatch(/present\nstat=born [0-9]+\n/);
          expect(await comparable(shell)).toEqual(expected);
          expect(await comparable(shell, { POSIXLY_CORRECT: '1', IFS: 'a=/', LC_ALL: 'tr_TR.UTF-8' })).toEqual(
            expected,
          );
        });
      });
    });
  }
});

describe('on systems that are updated as an image', () => {
  const hash = 'a'.repeat(64);
  const mount = (source: string, target: string): string =>
    `22 1 8:3 ${source} ${target} rw shared:1 - xfs /dev/sda3 rw\n`;
  const kinds: Readonly<Record<string, readonly [arrange: () => void, sent: RegExp]>> = {
    ostree: [
      () => {
        root.write('run/ostree-booted', '');
        root.write('run/ostree/staged-deployment', 'x', now - 60);
        root.write('run/ostree/staged-deployment-locked', '');
        root.write('proc/cmdline', 'ro ostree=/ostree/boot.1/fedora/x/0\n');
        root.write(
          'proc/self/mountinfo',
          `${mount('/', '/sysroot')}${mount(`/ostree/deploy/fedora/deploy/${hash}.0/etc`, '/etc')}`,
        );
        root.write(
          'boot/loader/entries/ostree-1.conf',
          'title x\nversion 1\noptions a\\b ostree=/ostree/boot.0/fedora/x/1 *\n',
        );
        root.write('boot/loader/entries/ostree-2.conf', 'title x\nversion 2\noptions ostree=/ostree/boot.0/fedora/x/0');
        root.write('boot/loader/entries/ostree-3.conf', 'title x\nversion 3\noptions ro\n');
        root.link('ostree/boot.0/fedora/x/1', `../../../deploy/fedora/deploy/${hash}.0`);
      },
      /^0: kind=ostree\nstaged=born [0-9]+\nlocked=1\nrunning=\/ostree\S+a\.0\/etc\nentry 1 \S+a\.0\nentry 2 \n$/,
    ],
    'ostree without entries': [
      () => {
        root.write('run/ostree-booted', '');
        root.write('proc/self/mountinfo', mount(`/ostree/deploy/fedora/deploy/${hash}.0`, '/'));
      },
      /^0: kind=ostree\nrunning=\/ostree\S+\n$/,
    ],
    composefs: [() => root.write('proc/cmdline', `rw composefs=?${hash} quiet`), /^0: kind=composefs\n$/],
    transactional: [
      () => {
        root.write(
          'proc/self/mounts',
          'proc /proc proc rw 0 0\n/dev/sda3 / btrfs ro,relatime,subvolid=270,subvol=/@/.snapshots/5/snapshot 0 0\n/dev/sda3 /var btrfs rw,subvol=/@/var 0 0\n',
        );
        root.write(
          'var/lib/misc/transactional-update.state',
          'LAST_WORKING_SNAPSHOTS="5"\nUNUSED_SNAPSHOTS="6"\nLAST_BOOTED="5"\nREBOOT_ASSOCS[6]=reboot\nFORCE_REFRESH="0"\n',
          now - 60,
        );
        root.write('run/reboot-needed', 'reboot');
        root.write('run/transactional-update.pid', '4321\n');
        root.makeFolder('proc/4321');
      },
      /^0: kind=transactional\nroot=\/@\/\.snapshots\/5\/snapshot\nstate=born [0-9]+\nLAST_BOOTED="5"\nREBOOT_ASSOCS\[6\]=reboot\nflag=1\nworking=1\n$/,
    ],
    'transactional, without its state': [
      () => {
        root.program('usr/sbin/transactional-update', '#!/bin/sh\n');
        root.write('proc/self/mounts', '/dev/sda3 / btrfs ro,subvol=/@/.snapshots/1/snapshot 0 0\n');
        // One that was killed leaves its number.
        root.write('run/transactional-update.pid', '4321');
      },
      /^0: kind=transactional\nroot=\/@\/\.snapshots\/1\/snapshot\n$/,
    ],
    'none of these': [() => undefined, /^0: $/],
  };

  for (const shell of shells) {
    describeWith([shell[0]], shell.join(' '), () => {
      test.each(Object.keys(kinds))('%s', async (kind) => {
        const [arrange, sent] = kinds[kind] ?? [];
        arrange?.();
        expect((await comparable(shell))['image']).toMatch(sent ?? /nothing/);
      });
    });
  }
});

/** The clock is another one each time, and BusyBox knows no birth times. */
async function comparable(shell: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Record<string, string>> {
  const sections = await probe(shell, env);
  delete sections['clock'];
  return Object.fromEntries(
    Object.entries(sections).map(([name, text]) => [
      name,
      text.replace(/^(0: )?((?:stat|staged|state)=)\S+ /gm, '$1$2born '),
    ]),
  );
}

async function listenAt(file: string, body: () => Promise<void>): Promise<void> {
  root.makeFolder(file.slice(0, file.lastIndexOf('/')));
  const server: Server = createServer();
  await new Promise<void>((resolve) => server.listen(join(root.path, file), resolve));
  try {
    await body();
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

describeWith(['setpriv', 'root'], 'as a user who may not read the database', () => {
  test('it is unknown, not absent', async () => {
    expect(findProgram('setpriv')).not.toBeNull();
    root.write('var/lib/rpm/rpmdb.sqlite', 'x');
    chmodSync(join(root.path, 'var/lib/rpm'), 0o700);
    chmodSync(root.path, 0o755);
    const { output } = await run(
      ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', 'sh'],
      probeInput(nonce, restartOnly, probeProgram(root.path)),
    );
    expect(readFacts((await decodeAnswer(output, nonce)).sections).rpm).toMatchObject({
      hasDatabase: true,
      packages: null,
    });
  });
});
