import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { HostRoot } from '../../test/fixture/host-root';
import { describeWith } from '../../test/fixture/programs';
import { now } from '../../test/fixture/said';
import { run, shells } from '../../test/fixture/shell';
import { readFacts } from '../reading';
import { decodeAnswer } from '../report/frame';
import type { Sections } from '../report/section';
import { probeInput, probeProgram } from './program';

const nonce = '00112233445566778899aabbccddeeff';

let root: HostRoot;
beforeEach(() => {
  root = new HostRoot();
});
afterEach(() => root.remove());

async function probe(shell: readonly string[] = ['sh']): Promise<Sections> {
  const request = probeInput(nonce, { exposure: false, sudo: false }, probeProgram(root.path));
  const { output } = await run(shell, request);
  return (await decodeAnswer(output, nonce)).sections;
}

async function text(name: string, shell?: readonly string[]): Promise<string> {
  const section = (await probe(shell)).get(name);
  return `${section?.body.toString('latin1').replaceAll(root.path, '')}${section?.status}`;
}

/** One host with the marks of every system at once. */
function everything(): void {
  root.removeFile('var/lib/dpkg');
  root.write('proc/modules', 'nf_tables 303104 0 - Live 0x0\n');
  for (const [release, name] of [
    ['6.11.5-arch1-1', 'linux\n'],
    ['6.12.1-1-lts', 'linux-lts'],
  ] as const) {
    root.write(`usr/lib/modules/${release}/pkgbase`, name);
  }
  root.makeFolder('usr/lib/modules/a b*');
  root.write('usr/lib/modules/file', '');
  root.write('var/lib/pacman/local/linux-6.11.5.arch1-1/desc', '%NAME%\nlinux\n', now - 500);
  root.write('usr/share/kernel/lts/kernel.release', '6.6.58-0-lts');
  for (const system of [
    'run/booted-system',
    'nix/var/nix/profiles/system',
    'nix/var/nix/profiles/system/specialisation/rt',
  ]) {
    for (const part of ['kernel', 'initrd'])
      root.link(`${system === 'run/booted-system' ? 'booted' : system}/${part}`, `/nix/store/x-${part}`);
  }
  root.link('run/booted-system', '../booted');
  root.write('run/update_engine_autoupdate_completed', '', now - 60);
  root.write(
    'var/lib/snapd/modeenv',
    'mode=run\nmodel=canonical/x\nbase=core22_1.snap\ncurrent_kernels=a_1.snap,a_2.snap',
    now - 70,
  );
  root.write('etc/kernel/proxmox-boot-pin', '6.8.12-4-pve\n');
  for (const unit of ['dnf-automatic.timer', 'transactional-update.timer', 'os-update.timer']) {
    root.write(`etc/systemd/system/timers.target.wants/${unit}`, '');
  }
  root.link('etc/systemd/system/os-update.timer', '/dev/null');
  root.link('usr/lib/systemd/system/multi-user.target.wants/rebootmgr.service', '/nowhere');
  root.write('var/lib/systemd/timers/stamp-dnf-automatic.timer', '', now - 900);
  root.write('etc/dnf/automatic.conf', '# x = y\n[commands]\napply_updates = yes\n  reboot = when-needed');
  root.write('etc/rebootmgr.conf', '[rebootmgr]\nwindow-start=03:30\nstrategy=best-effort\n');
  root.write('etc/rebootmgr/rebootmgr.conf.d/50-window.conf', '\twindow-start=Tue 04:00\n');
  root.write('etc/cron.weekly/opensuse.org-online_update', '');
  root.write('sys/kernel/livepatch/lkp_Ubuntu_6_8_0_45_45_generic_106/enabled', '1\n');
  root.write('sys/kernel/livepatch/lkp_Ubuntu_6_8_0_45_45_generic_106/transition', '0\n');
  root.write('sys/kernel/livepatch/kpatch_1/enabled', '0');
  root.makeFolder('sys/kernel/livepatch/empty');
  root.makeFolder('var/snap/canonical-livepatch');
  root.makeFolder('var/lib/kubelet');
  root.write('proc/77/comm', 'kured\n');
  root.write('proc/77/cmdline', '/usr/bin/kured\0--start-time=2am\0--reboot-days=mon,tue\0');
  root.write('proc/78/comm', 'sh\n');
}

/** Processes of services, booted an hour ago, and libraries that were replaced just now. */
function serve(): void {
  root.write('proc/stat', `cpu 1\nbtime ${Math.floor(Date.now() / 1000) - 3600}\n`);
  root.write('usr/lib/x86_64-linux-gnu/libssl.so.3', '');
  root.write('usr/lib64/libc.so.6', '');
  root.write('usr/sbin/web', '\0ELF\0libssl.so.3\0libc.so.6\0\n\0libssl.so.3\0');
  // A program that is really linked.
  cpSync('/bin/cat', join(root.path, 'usr/sbin/getty'), { dereference: true });
  root.write(
    'usr/lib/systemd/system/web.service',
    '[Service]\nExecStartPre=/bin/true\nExecStart=-!/usr/sbin/web --now\n',
  );
  root.write('etc/systemd/system/getty@.service', 'ExecStart = "/usr/sbin/getty" x');
  const process = (pid: number, comm: string, parent: number, start: number, cgroup: string): void => {
    root.write(`proc/${pid}/stat`, `${pid} (${comm}) S ${parent} 1 1${' 0'.repeat(15)} ${start} 0\n`);
    root.write(`proc/${pid}/cgroup`, cgroup);
  };
  process(2, 'kthreadd', 0, 0, '0::/system.slice/web.service\n');
  process(3, 'kworker/0:0', 2, 0, '0::/system.slice/web.service\n');
  process(100, 'web: ) S 2', 1, 900, '0::/system.slice/web.service\n');
  process(101, 'web', 100, 500, '0::/system.slice/web.service/worker\n');
  process(102, 'agetty', 1, 700, '0::/system.slice/system-getty.slice/getty@tty1.service\n');
  process(103, 'old', 1, 900, '12:cpu:/\n1:name=systemd:/system.slice/old.service\n');
  process(104, 'sh', 1, 100, '0::/user.slice/user-0.slice/user@0.service/app.slice/x.service\n');
  process(105, 'c', 1, 100, '0::/system.slice/docker-1234.scope\n');
  root.write('proc/106/stat', 'nonsense');
  root.makeFolder('proc/107');
}

describe('what the probe program reads on systems without dpkg and rpm', () => {
  test('kernels and their modules', async () => {
    everything();
    expect(await text('modules')).toBe(
      [
        'loaded',
        'folder=6.11.5-arch1-1',
        'package 6.11.5-arch1-1=linux',
        'folder=6.12.1-1-lts',
        'package 6.12.1-1-lts=linux-lts',
        'folder=a b*',
        'installed=6.6.58-0-lts',
        `unpacked=${now - 500} /var/lib/pacman/local/linux-6.11.5.arch1-1/desc`,
        '0',
      ].join('\n'),
    );
    root.removeFile('usr/lib/modules');
    expect(await text('modules')).toBe('4');
  });

  test('when the C library was replaced, on Arch and on Alpine', async () => {
    expect(await text('libc')).toBe('4');
    root.write('lib/apk/db/installed', '');
    root.write('lib/ld-musl-x86_64.so.1', '', now - 90_000);
    expect(await text('libc')).toMatch(/^replaced=[0-9]+ \/lib\/ld-musl-x86_64\.so\.1\n0$/);
    root.makeFolder('var/lib/pacman/local');
    expect(await text('libc')).toBe('1');
    root.write('usr/lib/libc.so.6', '');
    expect(await text('libc')).toMatch(/^replaced=[0-9]+ \/usr\/lib\/libc\.so\.6\n0$/);
  });

  test('modules of a boot medium', async () => {
    root.makeFolder('.modloop/modules/6.6.58-0-lts');
    root.makeFolder('lib');
    root.link('lib/modules', '../.modloop/modules');
    expect(await text('modules')).toBe('linked\nfolder=6.6.58-0-lts\n0');
  });

  test('the links of NixOS', async () => {
    everything();
    const said = await text('generation');
    expect(said).toContain("/run/booted-system/kernel' -> '/nix/store/x-kernel'\n");
    expect(said).toContain("/nix/var/nix/profiles/system/initrd' -> '/nix/store/x-initrd'\n");
    expect(said).toContain("/nix/var/nix/profiles/system/specialisation/rt/kernel' -> '/nix/store/x-kernel'\n");
    expect(said.split('\n')).toHaveLength(8);
  });

  test('files of update_engine, of snapd and of proxmox-boot-tool', async () => {
    everything();
    expect(await text('update_engine')).toMatch(new RegExp(`^present=1\nborn=[0-9]+\nmodified=${now - 60}\n0$`));
    expect(await text('snap')).toBe(
      `mode=run\nbase=core22_1.snap\ncurrent_kernels=a_1.snap,a_2.snap\nmodified=${now - 70}\n0`,
    );
    expect(readFacts(await probe()).kernel.pinned).toBe('6.8.12-4-pve');
  });

  test('units that are on, settings, and what runs kured', async () => {
    everything();
    const { updates } = readFacts(await probe());
    expect(updates).toEqual({
      isKnown: true,
      units: new Set(['dnf-automatic.timer', 'transactional-update.timer', 'rebootmgr.service']),
      ranAtSeconds: new Map([['dnf-automatic.timer', now - 900]]),
      settings: new Map([
        [
          'dnf',
          new Map([
            ['apply_updates', 'yes'],
            ['reboot', 'when-needed'],
          ]),
        ],
        [
          'rebootmgr',
          new Map([
            ['window-start', 'Tue 04:00'],
            ['strategy', 'best-effort'],
          ]),
        ],
      ]),
      yastCron: true,
      kured: ['/usr/bin/kured', '--start-time=2am', '--reboot-days=mon,tue'],
    });
  });

  test('live patches', async () => {
    everything();
    expect(readFacts(await probe()).livepatch).toEqual({
      patches: [
        { name: 'empty', isApplied: false },
        { name: 'kpatch_1', isApplied: false },
        { name: 'lkp_Ubuntu_6_8_0_45_45_generic_106', isApplied: true },
      ],
      hasCanonicalClient: true,
    });
  });

  test('nothing of it on an ordinary Debian host', async () => {
    expect(await text('modules')).toBe('4');
    expect(await text('generation')).toBe('4');
    expect(await text('update_engine')).toBe('0');
    expect(await text('snap')).toBe('4');
    expect(await text('updates')).toBe('0');
    expect(await text('livepatch')).toBe('0');
  });

  test('bounds what it sends of a file without end', async () => {
    root.write('etc/dnf/automatic.conf', 'key = value\n'.repeat(100_000));
    const section = (await probe()).get('updates');
    expect(section?.body.length).toBeLessThan(20_000);
  });

  test('services that started before a library was replaced', async () => {
    const before = Math.floor(Date.now() / 1000);
    serve();
    const { services } = readFacts(await probe());
    expect(services.isKnown).toBe(true);
    expect([...services.replacedAtSeconds.keys()].sort()).toEqual(['libc.so.6', 'libssl.so.3']);
    for (const at of services.replacedAtSeconds.values()) expect(at).toBeGreaterThanOrEqual(before);
    const program = (name: string): string => `${root.path}/usr/sbin/${name}`;
    expect(services.running).toEqual([
      { unit: 'web.service', startedSeconds: 5, program: program('web') },
      { unit: 'getty@tty1.service', startedSeconds: 7, program: program('getty') },
      { unit: 'old.service', startedSeconds: 9, program: null },
    ]);
    expect([...services.linked.keys()].sort()).toEqual([program('getty'), program('web')]);
    expect(services.linked.get(program('web'))).toEqual(new Set(['libssl.so.3', 'libc.so.6']));
    expect(services.linked.get(program('getty'))).toContain('libc.so.6');
  });

  test('looks at no process while no library was replaced', async () => {
    serve();
    root.write('proc/stat', `btime ${Math.floor(Date.now() / 1000) + 60}\n`);
    expect(await text('services')).toBe('0');
    root.removeFile('usr/lib');
    root.removeFile('usr/lib64');
    expect(await text('services')).toBe('4');
  });

  for (const shell of shells) {
    describeWith([shell[0]], shell.join(' '), () => {
      test('reads all of it alike', async () => {
        everything();
        serve();
        root.write('proc/1/stat', `1 (init) S 0 1 1${' 0'.repeat(15)} 37 0\n`);
        for (const name of ['modules', 'generation', 'snap', 'updates', 'livepatch', 'kernel', 'services']) {
          expect(`${name}: ${await text(name, shell)}`).toBe(`${name}: ${await text(name)}`);
        }
        const born = /born=.*/;
        expect((await text('update_engine', shell)).replace(born, '')).toBe(
          (await text('update_engine')).replace(born, ''),
        );
      });
    });
  }
});
