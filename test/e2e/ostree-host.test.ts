import { setTimeout as sleep } from 'node:timers/promises';
import { describeWith } from '../fixture/programs';
import { describeWithLab } from '../lab/describe-with-lab';
import type { LabHost } from '../lab/host';
import { Lab } from '../lab/lab';
import { ExporterInProcess } from './exporter-in-process';
import type { Scrape } from './scrape';
import { until } from './until';

jest.setTimeout(90_000);

/**
 * What ostree-prepare-root does of a boot: finds the boot loader's first entry and mounts its deployment. Here it is
 * the deployment's /etc alone; the lab's own /usr and / stay.
 */
const prepareRoot = String.raw`
[ -d /sysroot/ostree ] || exit 0
entry=$(grep -l '^version 2' /boot/loader/entries/*.conf || grep -l '^version 1' /boot/loader/entries/*.conf)
link=$(sed -n 's/^options .*ostree=\([^ ]*\).*/\1/p' "$entry")
deployment=$(readlink -f "/sysroot$link")
touch /run/ostree-booted
mkdir -p /run/ostree
echo "$deployment" >/run/deployment
mount --bind "$deployment/etc" /etc
`;

/** Makes a repository with one commit, and deploys it: what an installation image holds. */
const installSystem = String.raw`
mkdir -p /sysroot/boot /sysroot/tree/usr/bin && cd /sysroot
ostree admin init-fs --modern /sysroot 2>/dev/null || ostree admin init-fs /sysroot
ostree admin os-init fedora --sysroot=/sysroot
for folder in sysroot proc run dev boot tmp var; do mkdir -p tree/$folder; done
for name in bin lib lib64 sbin; do ln -s usr/$name tree/$name; done
ln -s sysroot/ostree tree/ostree
cp -a /etc tree/usr/etc
modules=tree/usr/lib/modules/6.11.5-300.fc41.x86_64
mkdir -p $modules
echo kernel >$modules/vmlinuz
echo initramfs >$modules/initramfs.img
cp /usr/lib/os-release tree/usr/lib/os-release
ostree --repo=ostree/repo commit -b fedora/stable --tree=dir=tree >/dev/null
ostree admin deploy --sysroot=/sysroot --os=fedora --karg=root=LABEL=root fedora/stable
rmdir /boot/* 2>/dev/null || rm -rf /boot/*
ln -sfn /sysroot/boot/loader /boot/loader
ln -sfn /sysroot/ostree /ostree
`;

/** Runs ostree with the deployment that runs as its root, where it looks for itself. */
const inDeployment = String.raw`
deployment=$(cat /run/deployment)
program='for folder in /sysroot /usr /run /dev; do mount --bind "$folder" "$1$folder"; done
mount --bind /sysroot/boot "$1/boot"
mount --bind /sysroot/ostree/deploy/fedora/var "$1/var"
mount -t proc proc "$1/proc"
mount -t tmpfs tmpfs "$1/tmp"
chroot "$1" sh -eu -c "$2"'
unshare -m sh -eu -c "mount --bind '$deployment' '$deployment'; $program" in "$deployment" "$1"
`;

/** Commits a newer system and stages it, as rpm-ostree and bootc do when they update. */
const update = (text: string): string => `
ostree --repo=/sysroot/ostree/repo checkout fedora/stable /tmp/next
echo '${text}' >/tmp/next/usr/lib/release
ostree --repo=/sysroot/ostree/repo commit -b fedora/stable --tree=dir=/tmp/next >/dev/null
ostree admin deploy --stage --os=fedora fedora/stable`;

describeWith(['ostree'], 'with ostree', () => {
  describeWithLab('a host that is updated as an image', () => {
    let lab: Lab;
    let exporter: ExporterInProcess;
    let host: LabHost;

    beforeAll(async () => {
      lab = await Lab.start({
        hosts: [
          {
            name: 'coreos',
            system: 'fedora-coreos-41',
            onBoot: prepareRoot,
            // systemd finalizes what is staged as it goes down; here the test does.
            files: { '/usr/local/bin/systemctl': '#!/bin/sh\nexit 0\n' },
          },
        ],
      });
      host = lab.host('coreos');
      await host.shell('chmod 755 /usr/local/bin/systemctl');
      await host.shell(installSystem);
      await host.restart();
      exporter = await ExporterInProcess.start(lab, { probe: { interval: '1s', timeout: '8s' } });
    });

    afterAll(async () => {
      await exporter?.stop();
      await lab?.stop();
    });

    async function ostree(text: string): Promise<string> {
      const { code, stdout, stderr } = await host.exec(['sh', '-eu', '-c', inDeployment, 'in-deployment', text]);
      expect(`${code} ${code === 0 ? '' : stdout + stderr}`).toBe('0 ');
      return stdout;
    }

    async function becomes(state: Record<string, unknown>): Promise<Scrape> {
      return until(20, async () => {
        const metrics = await exporter.metrics();
        expect({
          required: metrics.value('reboot_required', { host: 'coreos' }),
          unknown: metrics.value('reboot_required_unknown', { host: 'coreos' }),
          reasons: metrics.labelValues('reboot_required_reason_info', 'reason', { host: 'coreos' }),
        }).toEqual(state);
        return metrics;
      });
    }

    const notRequired = { required: 0, unknown: 0, reasons: [] };
    const required = { required: 1, unknown: 0, reasons: ['image'] };
    const since = (metrics: Scrape): number =>
      metrics.value('reboot_required_since_timestamp_seconds', { host: 'coreos' }) ?? NaN;

    test('an update is staged, staged anew, and booted', async () => {
      await becomes(notRequired);
      expect(await ostree('ostree admin status')).toMatch(/^\* fedora [0-9a-f]{64}\.0\n/);

      const before = Math.floor(Date.now() / 1000);
      await ostree(update('two'));
      const after = Date.now() / 1000;
      const staged = await becomes(required);
      expect(since(staged)).toBeGreaterThanOrEqual(before);
      expect(since(staged)).toBeLessThanOrEqual(after);

      await sleep(2500);
      await ostree(update('three'));
      const { stdout } = await host.exec(['stat', '-c', '%W %Y', '/run/ostree/staged-deployment']);
      const [born, modified] = stdout.split(' ').map(Number);
      // The file is another one: neither of its times is that of the first update any more.
      expect(born).toBeGreaterThan(after);
      expect(modified).toBeGreaterThan(after);
      await sleep(2500);
      expect(since(await becomes(required))).toBe(since(staged));

      await ostree('ostree admin finalize-staged');
      await host.stop();
      await host.start();
      await becomes(notRequired);
      expect(await host.shell('cat "$(cat /run/deployment)/usr/lib/release"')).toBe('three\n');
    });

    test('what is deployed without being staged is what the boot loader starts next', async () => {
      await becomes(notRequired);
      await ostree(update('four').replace('--stage ', ''));
      expect(host.files.exists('/run/ostree/staged-deployment')).toBe(false);
      const { restart } = await becomes(required).then(() => exporter.document('coreos'));
      expect(restart).toMatchObject({ verdict: 'required', reasons: ['image'] });
      await host.restart();
      await becomes(notRequired);
    });
  });
});
