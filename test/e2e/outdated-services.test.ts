import { setTimeout as sleep } from 'node:timers/promises';
import { describeWithLab } from '../lab/describe-with-lab';
import { Lab } from '../lab/lab';
import { ExporterInProcess } from './exporter-in-process';
import { until } from './until';

jest.setTimeout(60_000);

/** Control groups are the machine's, and outlive the host: a name of its own. */
const unit = `reboot-exporter-lab-${process.pid}.service`;

/** A control group as systemd makes one for a unit, below that of the host, with the oldest sshd in it. */
const enterUnit = `
groups=/run/control-groups
mkdir -p $groups
mountpoint -q $groups || mount -t cgroup2 none $groups
mkdir -p $groups/system.slice/${unit}
echo "$(pgrep -o -x sshd)" >$groups/system.slice/${unit}/cgroup.procs
`;

const leaveUnit = `
groups=/run/control-groups
while read -r process; do echo "$process" >$groups/cgroup.procs; done <$groups/system.slice/${unit}/cgroup.procs
rmdir $groups/system.slice/${unit}
rmdir $groups/system.slice 2>/dev/null || :
`;

/** What a package manager does: the new file is written under another name, and renamed. */
const replaceLibrary = String.raw`
library=$(ldd /usr/sbin/sshd | sed -n 's/.*=> \(.*libcrypto[.]so[.][^ ]*\) .*/\1/p')
cp -p "$library" "$library.new"
mv "$library.new" "$library"
basename "$library"
`;

describeWithLab('a service that runs a library that was replaced', () => {
  let lab: Lab;
  let exporter: ExporterInProcess;

  beforeAll(async () => {
    const text = '[Service]\nExecStart=/usr/sbin/sshd -D\n';
    lab = await Lab.start({
      hosts: [
        { name: 'web', onBoot: 'mkdir -p /run/systemd/system', files: { [`/etc/systemd/system/${unit}`]: text } },
      ],
    });
    exporter = await ExporterInProcess.start(lab, { probe: { interval: '1s', timeout: '8s' } });
  });

  afterAll(async () => {
    await exporter?.stop();
    await lab?.host('web').exec(['sh', '-c', leaveUnit]);
    await lab?.stop();
  });

  async function root(script: string): Promise<string> {
    const { code, stdout, stderr } = await lab.host('web').exec(['sh', '-euc', script]);
    expect(`${code}: ${stderr}`).toBe('0: ');
    return stdout.trim();
  }

  async function becomes(count: number | undefined, services: readonly string[]): Promise<void> {
    await until(20, async () => {
      const metrics = await exporter.metrics();
      expect({
        count: metrics.value('outdated_services', { host: 'web' }),
        services: metrics.labelValues('outdated_service_info', 'service', { host: 'web' }),
        required: metrics.value('reboot_required', { host: 'web' }),
      }).toEqual({ count, services, required: 0 });
    });
  }

  test('is counted from its replacement to its restart, and asks for no restart of the host', async () => {
    await root(enterUnit);
    // Times of processes and files are compared with five seconds' slack.
    await sleep(6500);
    const library = await root(replaceLibrary);
    await becomes(1, [unit]);
    const document = await exporter.document('web');
    expect(JSON.stringify(document)).toContain(`"libraries":["${library}"]`);

    await sleep(6500);
    await root(leaveUnit);
    await lab.host('web').sshd.stop();
    await lab.host('web').sshd.start();
    await root(enterUnit);
    await becomes(0, []);
  });
});
