import { setTimeout as sleep } from 'node:timers/promises';
import { describeWith } from '../fixture/programs';
import { describeWithLab } from '../lab/describe-with-lab';
import type { LabHost } from '../lab/host';
import type { HostSpec } from '../lab/host-spec';
import { Lab } from '../lab/lab';
import { buildArchKernel, pacmanSettings, type ArchKernel } from '../lab/pacman-package';
import { ExporterInProcess } from './exporter-in-process';
import type { Scrape } from './scrape';
import { until } from './until';

jest.setTimeout(90_000);

const withoutDpkg = ['apt', 'apt-config', 'apt-get', 'dpkg', 'dpkg-query'];

/** A host that is not of the lab's own distributions: its os-release, its kernel, and files of its first boot. */
function other(name: string, osRelease: string, release: string, files: HostSpec['files'] = {}): HostSpec {
  return {
    name,
    kernel: { release, version: '#1 SMP PREEMPT_DYNAMIC' },
    files: { '/usr/lib/os-release': osRelease, ...files },
    without: withoutDpkg,
  };
}

const arch = 'NAME="Arch Linux"\nPRETTY_NAME="Arch Linux"\nID=arch\nBUILD_ID=rolling\n';
const kernels: Readonly<Record<string, ArchKernel>> = {
  old: { name: 'linux', version: '6.11.5.arch1-1', release: '6.11.5-arch1-1' },
  new: { name: 'linux', version: '6.11.6.arch1-1', release: '6.11.6-arch1-1' },
  lts: { name: 'linux-lts', version: '6.12.1-1', release: '6.12.1-1-lts' },
};

const notRequired = { required: 0, unknown: 0, reasons: [], packages: [] };
const unknown = { required: undefined, unknown: 1, reasons: [], packages: [] };

describeWith(['pacman', 'nix-store', 'nix-env'], 'with pacman and nix', () => {
  describeWithLab('hosts of other distributions', () => {
    let lab: Lab;
    let exporter: ExporterInProcess;

    beforeAll(async () => {
      lab = await Lab.start({
        hosts: [
          other('arch', arch, '6.11.5-arch1-1', { '/etc/pacman.conf': pacmanSettings, '/var/lib/pacman/sync/x': '' }),
          other('nixos', 'ID=nixos\nVERSION_ID="24.11"\nPRETTY_NAME="NixOS 24.11 (Vicuna)"\n', '6.6.58', {
            '/etc/nix/nix.conf': 'build-users-group =\nsandbox = false\n',
          }),
          {
            name: 'alpine',
            system: 'alpine-3.20',
            files: { '/usr/share/kernel/lts/kernel.release': '6.6.58-0-lts\n', '/lib/apk/db/installed': '' },
          },
          other('flatcar', 'ID=flatcar\nID_LIKE=coreos\nVERSION_ID=3975.2.2\n', '6.6.54-flatcar', {
            '/usr/lib/systemd/system/multi-user.target.wants/update-engine.service': '',
          }),
          other('core', 'ID=ubuntu-core\nVERSION_ID="22"\nPRETTY_NAME="Ubuntu Core 22"\n', '5.15.0-126-generic', {
            '/var/lib/snapd/modeenv': 'mode=run\nbase=core22_1663.snap\ncurrent_kernels=pc-kernel_2053.snap\n',
          }),
          {
            name: 'proxmox',
            system: 'debian-12',
            kernel: { release: '6.8.12-4-pve', version: '#1 SMP PREEMPT_DYNAMIC PMX 6.8.12-4 (2024-11-06T15:04Z)' },
            packages: [{ name: 'proxmox-kernel-6.8.12-4-pve-signed', version: '6.8.12-4' }],
          },
          other('void', 'ID=void\nPRETTY_NAME="Void Linux"\n', '6.6.58_1'),
        ],
      });
      await pacman(lab.host('arch'), kernels['old'] as ArchKernel, kernels['lts'] as ArchKernel);
      await generation(lab.host('nixos'), '6.6.58');
      await bootGeneration(lab.host('nixos'));
      exporter = await ExporterInProcess.start(lab, { probe: { interval: '1s', timeout: '8s' } });
    });

    afterAll(async () => {
      await exporter?.stop();
      await lab?.stop();
    });

    async function pacman(host: LabHost, ...packages: readonly ArchKernel[]): Promise<void> {
      const files: string[] = [];
      for (const each of packages) {
        const file = `/srv/${each.name}-${each.version}-x86_64.pkg.tar.gz`;
        host.files.write(file, await buildArchKernel(each));
        files.push(file);
      }
      await must(host, ['pacman', '--noconfirm', '-U', ...files]);
    }

    /** Makes a system of links as nixos-rebuild does, in the store, and the next generation of the profile of it. */
    async function generation(host: LabHost, kernel: string): Promise<void> {
      await must(host, ['sh', '-euc', generationProgram, 'generation', kernel]);
    }

    /** What stage 2 of NixOS' boot does: /run/booted-system leads to what was booted. */
    async function bootGeneration(host: LabHost): Promise<void> {
      await must(host, ['sh', '-c', 'ln -sfn "$(readlink -f /nix/var/nix/profiles/system)" /run/booted-system']);
    }

    async function must(host: LabHost, argv: readonly string[]): Promise<void> {
      const { code, stdout, stderr } = await host.exec(argv);
      expect(`${argv.join(' ')}: ${code}${code === 0 ? '' : `\n${stdout}${stderr}`}`).toBe(`${argv.join(' ')}: 0`);
    }

    async function becomes(name: string, state: Record<string, unknown>): Promise<Scrape> {
      return until(20, async () => {
        const metrics = await exporter.metrics();
        expect({
          required: metrics.value('reboot_required', { host: name }),
          unknown: metrics.value('reboot_required_unknown', { host: name }),
          reasons: metrics.labelValues('reboot_required_reason_info', 'reason', { host: name }),
          packages: metrics.labelValues('reboot_required_package_info', 'package', { host: name }),
        }).toEqual(state);
        return metrics;
      });
    }

    async function becomesRequired(name: string, reason: string, packages: readonly string[]): Promise<void> {
      const metrics = await becomes(name, { required: 1, unknown: 0, reasons: [reason], packages });
      const since = metrics.value('reboot_required_since_timestamp_seconds', { host: name }) ?? 0;
      expect(Date.now() / 1000 - since).toBeLessThan(30);
      expect(since).toBeLessThanOrEqual(Date.now() / 1000);
    }

    test('arch: pacman replaces the kernel and its modules', async () => {
      const host = lab.host('arch');
      await becomes('arch', notRequired);
      await pacman(host, kernels['new'] as ArchKernel);
      expect(host.files.exists('/usr/lib/modules/6.11.5-arch1-1/pkgbase')).toBe(false);
      await becomesRequired('arch', 'kernel', ['linux']);
      const { restart } = await exporter.document('arch');
      expect(restart?.['evidence']).toBe('package');
      await host.restart({ kernel: { release: '6.11.6-arch1-1', version: '#1 SMP PREEMPT_DYNAMIC' } });
      const metrics = await becomes('arch', notRequired);
      expect(metrics.value('automatic_updates_enabled', { host: 'arch' })).toBe(0);
    });

    test('nixos: a generation with another kernel, and one with the same', async () => {
      const host = lab.host('nixos');
      await becomes('nixos', notRequired);
      await generation(host, '6.6.60');
      await becomesRequired('nixos', 'generation', ['initrd-linux-6.6.60', 'linux-6.6.60', 'linux-6.6.60-modules']);
      await must(host, ['nix-env', '-p', '/nix/var/nix/profiles/system', '--rollback']);
      await becomes('nixos', notRequired);
      await generation(host, '6.6.60');
      await host.restart({ kernel: { release: '6.6.60', version: '#1 SMP' } });
      await bootGeneration(host);
      await becomes('nixos', notRequired);
    });

    test('alpine: the kernel package has another release, and the modules go; the C library is replaced', async () => {
      const host = lab.host('alpine');
      await becomes('alpine', notRequired);
      host.files.write('/usr/share/kernel/lts/kernel.release', '6.6.60-0-lts\n');
      await becomesRequired('alpine', 'kernel', ['linux-lts']);
      host.files.makeFolder('/lib/modules/6.6.60-0-lts');
      await must(host, ['rm', '-r', '/lib/modules/6.6.58-0-lts']);
      await becomesRequired('alpine', 'kernel', ['linux-lts']);
      await host.restart({ kernel: { release: '6.6.60-0-lts', version: '#1-Alpine SMP' } });
      await becomes('alpine', notRequired);
      // A boot time has whole seconds, and moves by some when the clock is stepped: within five nothing can be told.
      await sleep(6500);
      host.files.write('/lib/ld-musl-x86_64.so.1', '');
      await becomesRequired('alpine', 'library', ['musl']);
      await sleep(6500);
      await host.restart();
      await becomes('alpine', notRequired);
    });

    test('flatcar: update_engine leaves its file, and takes it away', async () => {
      const host = lab.host('flatcar');
      const metrics = await becomes('flatcar', notRequired);
      expect(metrics.labelValues('automatic_updates_info', 'by', { host: 'flatcar' })).toEqual(['update-engine']);
      host.files.write('/run/update_engine_autoupdate_completed', '');
      await becomesRequired('flatcar', 'update_engine', []);
      host.files.remove('/run/update_engine_autoupdate_completed');
      await becomes('flatcar', notRequired);
    });

    test('ubuntu core: snapd notes a kernel to try', async () => {
      const host = lab.host('core');
      await becomes('core', notRequired);
      host.files.write('/var/lib/snapd/modeenv', 'mode=run\ncurrent_kernels=pc-kernel_2053.snap,pc-kernel_2098.snap\n');
      await becomesRequired('core', 'snap', ['pc-kernel_2098.snap']);
      await sleep(6500);
      await host.restart();
      await becomes('core', unknown);
      host.files.write('/var/lib/snapd/modeenv', 'mode=run\ncurrent_kernels=pc-kernel_2098.snap\n');
      await becomes('core', notRequired);
    });

    test('proxmox: a newer kernel, and the running one pinned', async () => {
      const host = lab.host('proxmox');
      await becomes('proxmox', notRequired);
      host.installPackage({ name: 'proxmox-kernel-6.8.12-5-pve-signed', version: '6.8.12-5', installedAt: new Date() });
      await becomesRequired('proxmox', 'kernel', ['proxmox-kernel-6.8.12-5-pve-signed']);
      host.files.write('/etc/kernel/proxmox-boot-pin', '6.8.12-4-pve\n');
      await becomes('proxmox', notRequired);
    });

    test('a system that nothing is known of: never no, and what was seen', async () => {
      await becomes('void', unknown);
      const { restart } = await exporter.document('void');
      expect(JSON.stringify(restart?.['signals'])).toContain('6.6.58_1 runs, its modules are there');
    });
  });
});

/** Store paths of a kernel, an initrd and modules, a system with links to them, and the profile's next generation. */
const generationProgram = String.raw`
export HOME=/root NIX_REMOTE=local
made=$(mktemp -d)
add() { mkdir "$made/$1"; echo "$1" >"$made/$1/$2"; nix-store --add "$made/$1"; }
kernel=$(add "linux-$1" bzImage)
initrd=$(add "initrd-linux-$1" initrd)
modules=$(add "linux-$1-modules" module)
system="$made/nixos-system-$1"
mkdir "$system"
ln -s "$kernel/bzImage" "$system/kernel"
ln -s "$initrd/initrd" "$system/initrd"
ln -s "$modules" "$system/kernel-modules"
nix-env -p /nix/var/nix/profiles/system --set "$(nix-store --add "$system")"
`;
