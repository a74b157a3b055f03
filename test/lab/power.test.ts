import net from 'node:net';
import { once } from 'node:events';
import { describeWithLab } from './describe-with-lab';
import type { LabHost } from './host';
import { Lab } from './lab';
import { sshLogin } from './ssh-login';

jest.setTimeout(60_000);

describeWithLab('the power of a lab host', () => {
  let lab: Lab;
  let host: LabHost;
  let keeping: LabHost;

  beforeAll(async () => {
    lab = await Lab.start({
      hosts: [
        { name: 'host', listeners: ['tcp 0.0.0.0:443'], onBoot: 'nft add table inet from_boot' },
        { name: 'keeping', runPersists: true },
      ],
    });
    host = lab.host('host');
    keeping = lab.host('keeping');
  });

  afterAll(() => lab?.stop());

  async function answer(command: string): Promise<string> {
    return (await sshLogin(lab, host, command)).stdout.trim();
  }

  test('a restart brings a new boot id and boot time, and takes the flag; the key stays', async () => {
    const before = [host.bootId, await host.bootTimeSeconds()];
    host.setFlag(['libc6']);
    host.write('/etc/kept', 'kept');
    const bootedAt = new Date(Date.now() - 5000);
    await host.restart({ bootedAt, kernel: { release: '6.8.0-50-generic', version: '#50' } });
    expect(await answer('cat /proc/sys/kernel/random/boot_id')).toBe(host.bootId);
    expect(host.bootId).not.toBe(before[0]);
    expect(await answer('grep btime /proc/stat')).toBe(`btime ${Math.floor(bootedAt.getTime() / 1000)}`);
    expect(await answer('uname -r; uname -v')).toBe('6.8.0-50-generic\n#50');
    expect(await answer('ls /run/reboot-required; cat /etc/kept')).toBe('kept');
  });

  test('a host that booted a moment ago says so', async () => {
    await host.restart();
    expect(Math.abs((await host.bootTimeSeconds()) - Date.now() / 1000)).toBeLessThan(5);
    expect(Number((await answer('cat /proc/uptime')).split(' ')[0])).toBeLessThan(5);
  });

  test('a restart takes rules and sockets of the boot before, and brings those of every boot', async () => {
    await host.applyRules('nft add table inet until_restart');
    await host.listen('tcp 0.0.0.0:8080');
    await host.restart();
    expect(await host.shell('nft list tables')).toBe('table inet from_boot\n');
    const sockets = await host.shell('ss -Hltn | sed "s/ \\+/ /g" | cut -d" " -f4 | sort -u');
    expect(sockets).toBe('0.0.0.0:22\n0.0.0.0:443\n[::]:22\n');
  });

  test('a restart closes the connections of sessions under way', async () => {
    const session = sshLogin(lab, host, 'echo began; sleep 60');
    await new Promise((resolve) => setTimeout(resolve, 500));
    await host.restart();
    expect(await session).toMatchObject({ code: 255, stdout: 'began\n' });
  });

  test('a flag outlives a restart where /run does', async () => {
    keeping.setFlag(['dbus']);
    const bootId = keeping.bootId;
    await keeping.restart();
    expect(keeping.bootId).not.toBe(bootId);
    expect((await keeping.exec(['cat', '/run/reboot-required.pkgs'])).stdout).toBe('dbus\n');
    const birth = Number((await keeping.exec(['stat', '-c', '%W', '/run/reboot-required'])).stdout);
    // Whole seconds, each rounded by itself.
    expect(birth).toBeLessThanOrEqual((await keeping.bootTimeSeconds()) + 1);
  });

  test('a host that is off answers nothing, keeps its files, and comes back', async () => {
    await host.stop();
    expect(await sshLogin(lab, host, 'true')).toMatchObject({ code: 255 });
    await expect(host.exec(['true'])).rejects.toThrow('host is off');
    expect(() => host.setFlag([])).toThrow('the host is off');
    host.installPackage({ name: 'while-off', version: '1' });
    await host.start();
    expect(await answer('dpkg-query -W while-off')).toBe('while-off\t1');
  });

  test('sshd can stop and return while the host stays up', async () => {
    const session = sshLogin(lab, host, 'echo began; sleep 1; echo ended');
    await new Promise((resolve) => setTimeout(resolve, 500));
    const { bootId } = host;
    await host.sshd.stop('listener');
    const socket = net.connect(22, host.address);
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNREFUSED');
    expect(await session).toMatchObject({ code: 0, stdout: 'began\nended\n' });
    await host.sshd.start();
    expect(await answer('cat /proc/sys/kernel/random/boot_id')).toBe(bootId);
    const dropped = sshLogin(lab, host, 'sleep 60');
    await new Promise((resolve) => setTimeout(resolve, 500));
    await host.sshd.stop();
    expect(await dropped).toMatchObject({ code: 255 });
    await host.sshd.start();
  });

  test('sshd can be configured otherwise', async () => {
    await host.sshd.configure('MaxSessions 1\nForceCommand echo forced\nMatch User root\n  ForceCommand echo root');
    expect(await answer('id')).toBe('forced');
    expect((await sshLogin(lab, host, 'id', { user: 'root' })).stdout).toBe('root\n');
    await expect(host.sshd.configure('NoSuchKeyword yes')).rejects.toThrow('NoSuchKeyword');
    await host.sshd.configure('');
    expect(await answer('echo free')).toBe('free');
  });

  test('orphans are reaped', async () => {
    await host.shell('for n in 1 2 3 4 5; do (sleep 0.05 &); done; sleep 0.3');
    const { stdout } = await host.exec(['sh', '-c', 'cat /proc/[0-9]*/stat']);
    expect(stdout).not.toMatch(/\) Z /);
  });

  test('a host that dies by itself can be started again', async () => {
    process.kill(host.power.up.pid, 'SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(host.power.up.alive).toBe(false);
    await host.stop();
    await host.start();
    expect(await answer('hostname')).toBe('host');
  });
});
