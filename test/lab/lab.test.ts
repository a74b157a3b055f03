import fs from 'node:fs';
import { parse } from 'yaml';
import { describeWithLab } from './describe-with-lab';
import type { LabHost } from './host';
import { Lab } from './lab';
import { labUser } from './skeleton';
import { sshLogin } from './ssh-login';

jest.setTimeout(60_000);

const daySeconds = 24 * 3600;

function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}

/** What a command says to the unprivileged user. */
async function say(host: LabHost, command: string): Promise<string> {
  const { stdout, stderr } = await host.exec(['sh', '-c', command], { as: labUser });
  return `${stdout}${stderr}`.trim();
}

describeWithLab('two lab hosts', () => {
  let lab: Lab;
  let web: LabHost;
  let db: LabHost;

  beforeAll(async () => {
    const bootedAt = (days: number): Date => new Date((nowSeconds() - days * daySeconds) * 1000);
    lab = await Lab.start({
      hosts: [
        { name: 'web', bootedAt: bootedAt(3), stack: 'shop', labels: { team: 'web' } },
        { name: 'db', bootedAt: bootedAt(400), system: 'debian-12', sshPort: 2222, hostKeys: ['ed25519', 'ecdsa'] },
      ],
    });
    web = lab.host('web');
    db = lab.host('db');
  });

  afterAll(() => lab?.stop());

  test("have a boot id of their own, and not the machine's", async () => {
    const file = '/proc/sys/kernel/random/boot_id';
    const ids = [await say(web, `cat ${file}`), await say(db, `cat ${file}`), fs.readFileSync(file, 'utf8').trim()];
    expect(new Set(ids).size).toBe(3);
    expect(ids.slice(0, 2)).toEqual([web.bootId, db.bootId]);
    expect(ids[0]).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  });

  test('booted when they were told to, by /proc/stat, /proc/uptime and the start of their processes', async () => {
    expect(Math.abs((await web.bootTimeSeconds()) - (nowSeconds() - 3 * daySeconds))).toBeLessThan(60);
    expect(Math.abs((await db.bootTimeSeconds()) - (nowSeconds() - 400 * daySeconds))).toBeLessThan(60);
    const uptimeSeconds = Number((await say(db, 'cat /proc/uptime')).split(' ')[0]);
    expect(Math.abs(uptimeSeconds - 400 * daySeconds)).toBeLessThan(60);
    const startTicks = Number((await say(db, 'cat /proc/1/stat')).split(' ')[21]);
    expect(Math.abs(startTicks / 100 - 400 * daySeconds)).toBeLessThan(60);
  });

  test('run the kernel of their distribution, by /proc and by uname', async () => {
    expect(await say(web, 'cat /proc/sys/kernel/osrelease; uname -r')).toBe('6.8.0-49-generic\n6.8.0-49-generic');
    expect(await say(db, 'cat /proc/sys/kernel/osrelease; uname -r')).toBe('6.1.0-27-amd64\n6.1.0-27-amd64');
    expect(await say(db, 'uname -v')).toBe('#1 SMP PREEMPT_DYNAMIC Debian 6.1.115-1 (2024-11-01)');
    expect(await say(db, 'cat /proc/version')).toContain('Linux version 6.1.0-27-amd64');
    expect(await say(db, 'uname -srn')).toBe('Linux db 6.1.0-27-amd64');
    db.setKernel('6.1.0-28-amd64', '#1 SMP Debian 6.1.119-1');
    expect(await say(db, 'uname -r')).toBe('6.1.0-28-amd64');
    expect(await say(web, 'uname -r')).toBe('6.8.0-49-generic');
  });

  test("let the user and root log in with the system's ssh, by either family", async () => {
    expect(await sshLogin(lab, web, 'hostname; id -un')).toMatchObject({ code: 0, stdout: `web\n${labUser}\n` });
    expect(await sshLogin(lab, db, 'hostname; id -un', { user: 'root' })).toMatchObject({
      code: 0,
      stdout: 'db\nroot\n',
    });
    expect(await sshLogin(lab, web, 'hostname', { address: web.addressV6 })).toMatchObject({
      code: 0,
      stdout: 'web\n',
    });
    expect(await sshLogin(lab, web, 'cat', { input: 'from the program' })).toMatchObject({
      stdout: 'from the program',
    });
  });

  test('give a terminal to whom may have one', async () => {
    expect((await sshLogin(lab, web, 'tty', { arguments: ['-tt'] })).stdout).toMatch(/^\/dev\/pts\/\d/);
  });

  test('show the flag to the user, and only their own', async () => {
    web.setFlag(['linux-image-6.8.0-50-generic', 'linux-base']);
    const seen = await sshLogin(lab, web, 'cat /run/reboot-required.pkgs');
    expect(seen.stdout).toBe('linux-image-6.8.0-50-generic\nlinux-base\n');
    expect(await say(db, 'ls /run/reboot-required')).toContain('No such file');
    expect(fs.existsSync('/run/reboot-required')).toBe(false);
    web.clearFlag();
    expect(await say(web, 'ls /var/run/reboot-required')).toContain('No such file');
  });

  test('keep the birth of a flag that is rewritten, while its modification time moves', async () => {
    web.setFlag(['libc6']);
    const before = await say(web, 'stat -c "%W %i" /run/reboot-required');
    expect(Math.abs(Number(before.split(' ')[0]) - nowSeconds())).toBeLessThan(10);
    const later = nowSeconds() + 7;
    web.setFlag(['libc6'], { mtime: new Date(later * 1000) });
    expect(await say(web, 'stat -c "%W %i" /run/reboot-required')).toBe(before);
    expect(await say(web, 'stat -c %Y /run/reboot-required')).toBe(`${later}`);
    expect(await say(web, 'cat /run/reboot-required.pkgs')).toBe('libc6\nlibc6');
    web.clearFlag();
    web.setFlag([], { touchOnly: true });
    expect(await say(web, 'stat -c %s /run/reboot-required*')).toBe('0');
    web.clearFlag();
  });

  test('have packages that dpkg reads, with the time of their installation', async () => {
    const installedAt = new Date('2026-01-02T03:04:05Z');
    db.installPackage({ name: 'openssl', version: '3.0.99-1', installedAt });
    db.installPackage({ name: 'half', version: '1', status: 'install ok half-configured' });
    const asked = await say(db, "dpkg-query -W -f '${db:Status-Abbrev} ${Package} ${Version}\\n' openssl half libc6");
    expect(asked).toBe('iF  half 1\nii  libc6 2.36-9+deb12u9\nii  openssl 3.0.99-1');
    expect(await say(db, 'stat -c %Y /var/lib/dpkg/info/openssl.list')).toBe(`${installedAt.getTime() / 1000}`);
    expect(await say(db, 'ls /var/lib/dpkg/info/libc6*')).toBe('/var/lib/dpkg/info/libc6:amd64.list');
    db.purgePackage('half');
    expect(await say(db, 'dpkg-query -W half')).toContain('no packages found matching half');
  });

  test("show nothing of the machine's files and processes", async () => {
    expect(await say(web, 'ls /.dockerenv /work /run/runit 2>/dev/null')).toBe('');
    expect(await say(web, '. /etc/os-release; echo "$ID $VERSION_ID"')).toBe('ubuntu 24.04');
    expect(await say(web, 'apt-config shell run APT::Periodic::Unattended-Upgrade')).toBe("run='1'");
    const processes = (await say(web, 'ls -d /proc/[0-9]*')).split('\n');
    expect(processes.length).toBeLessThan(6);
    const devices = (await say(web, 'cat /proc/net/dev')).split('\n').slice(2);
    expect(devices.map((line) => line.trim().split(':')[0]).sort()).toEqual(['eth0', 'lo']);
  });

  test('fall into a config for the exporter', () => {
    const config = parse(
      lab.configYaml({ probe: { interval: '1s' }, hosts: { db: { exposure: 'internal', ssh: { user: 'root' } } } }),
    ) as unknown;
    expect(config).toMatchObject({
      probe: { interval: '1s', timeout: '5s' },
      ssh: { user: labUser, identity_file: lab.identityFile, known_hosts: lab.knownHostsFile },
      hosts: [
        { name: 'web', address: web.address, stack: 'shop', labels: { team: 'web' } },
        { name: 'db', address: db.address, ssh: { port: 2222, user: 'root' }, exposure: 'internal' },
      ],
    });
    expect(fs.statSync(lab.identityFile).mode & 0o777).toBe(0o600);
  });

  test('refuse a login when they show another key than the known one', async () => {
    await web.changeHostKey();
    const refused = await sshLogin(lab, web, 'true');
    expect(refused).toMatchObject({ code: 255 });
    expect(refused.stderr).toContain('REMOTE HOST IDENTIFICATION HAS CHANGED');
    expect(await sshLogin(lab, db, 'true')).toMatchObject({ code: 0 });
    lab.trustHostKeys();
    expect(await sshLogin(lab, web, 'true')).toMatchObject({ code: 0 });
  });
});
