import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildDeb, type DebPackageSpec } from '../fixture/deb-package';
import { describeWith } from '../fixture/programs';
import { describeWithLab } from '../lab/describe-with-lab';
import type { LabHost } from '../lab/host';
import type { LabKernel } from '../lab/host-spec';
import { Lab } from '../lab/lab';
import type { SystemName } from '../lab/system';
import { ExporterInProcess } from './exporter-in-process';
import type { Scrape } from './scrape';
import { until } from './until';

jest.setTimeout(90_000);

interface Case {
  readonly system: SystemName;
  readonly newer: DebPackageSpec;
  readonly kernel?: LabKernel;
  readonly reason: string;
}

const cases: Readonly<Record<string, Case>> = {
  'ubuntu-kernel': {
    system: 'ubuntu-24.04',
    newer: { name: 'linux-image-6.8.0-100-generic', version: '6.8.0-100.100' },
    kernel: { release: '6.8.0-100-generic', version: '#100-Ubuntu SMP PREEMPT_DYNAMIC' },
    reason: 'kernel',
  },
  'debian-kernel': {
    system: 'debian-12',
    newer: { name: 'linux-image-6.1.0-28-amd64', version: '6.1.119-1' },
    kernel: { release: '6.1.0-28-amd64', version: '#1 SMP PREEMPT_DYNAMIC Debian 6.1.119-1 (2024-11-22)' },
    reason: 'kernel',
  },
  'debian-rebuilt-kernel': {
    system: 'debian-13',
    newer: { name: 'linux-image-6.12.43+deb13-amd64', version: '6.12.43-2' },
    kernel: { release: '6.12.43+deb13-amd64', version: '#1 SMP PREEMPT_DYNAMIC Debian 6.12.43-2 (2025-09-05)' },
    reason: 'kernel',
  },
  'debian-libc': {
    system: 'debian-12',
    newer: { name: 'libc6', version: '2.36-9+deb12u13', multiArch: 'same' },
    reason: 'library',
  },
};

describeWith(['dpkg', 'dpkg-deb'], 'with dpkg itself', () => {
  describeWithLab('hosts of Debian and Ubuntu', () => {
    let lab: Lab;
    let exporter: ExporterInProcess;
    let folder: string;

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'debs-'));
      lab = await Lab.start({ hosts: Object.entries(cases).map(([name, { system }]) => ({ name, system })) });
      exporter = await ExporterInProcess.start(lab, { probe: { interval: '1s', timeout: '8s' } });
    });

    afterAll(async () => {
      await exporter?.stop();
      await lab?.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    async function dpkg(host: LabHost, ...argv: readonly string[]): Promise<void> {
      const { code, stdout, stderr } = await host.exec(['dpkg', '--force-depends', ...argv]);
      expect(`${code}${code === 0 ? '' : `\n${stdout}${stderr}`}`).toBe('0');
    }

    async function install(host: LabHost, spec: DebPackageSpec): Promise<void> {
      const file = await buildDeb(folder, spec);
      host.files.write(`/srv/${basename(file)}`, readFileSync(file));
      await dpkg(host, '--install', `/srv/${basename(file)}`);
    }

    async function becomes(name: string, state: Record<string, unknown>): Promise<Scrape> {
      return until(20, async () => {
        const metrics = await exporter.metrics();
        expect({
          required: metrics.value('reboot_required', { host: name }),
          reasons: metrics.labelValues('reboot_required_reason_info', 'reason', { host: name }),
          packages: metrics.labelValues('reboot_required_package_info', 'package', { host: name }),
        }).toEqual(state);
        return metrics;
      });
    }

    const notRequired = { required: 0, reasons: [], packages: [] };

    test.each(Object.entries(cases))('%s: the newer package asks for a restart', async (name, { newer, reason }) => {
      const host = lab.host(name);
      await becomes(name, notRequired);
      const before = Math.floor(Date.now() / 1000);
      await install(host, newer);
      const after = Date.now() / 1000;
      const metrics = await becomes(name, { required: 1, reasons: [reason], packages: [newer.name] });
      const since = metrics.value('reboot_required_since_timestamp_seconds', { host: name });
      expect(since).toBeGreaterThanOrEqual(before);
      expect(since).toBeLessThanOrEqual(after);
    });

    test('a restart takes all of them into use', async () => {
      // A boot time has whole seconds, and moves by some when the clock is stepped: within five nothing can be told.
      await sleep(5500);
      const entries = Object.entries(cases);
      await Promise.all(
        entries.map(([name, { kernel }]) => lab.host(name).restart(kernel === undefined ? {} : { kernel })),
      );
      for (const [name] of entries) await becomes(name, notRequired);
    });

    test('a kernel that is removed again asks for nothing, though its settings stay', async () => {
      const host = lab.host('debian-libc');
      await becomes('debian-libc', notRequired);
      await install(host, { name: 'linux-image-6.1.0-40-amd64', version: '6.1.153-1' });
      await becomes('debian-libc', { required: 1, reasons: ['kernel'], packages: ['linux-image-6.1.0-40-amd64'] });
      await dpkg(host, '--remove', 'linux-image-6.1.0-40-amd64');
      expect(
        (await host.exec(['dpkg-query', '-W', '-f', '${db:Status-Abbrev}', 'linux-image-6.1.0-40-amd64'])).stdout,
      ).toBe('rc ');
      await becomes('debian-libc', notRequired);
    });
  });
});
