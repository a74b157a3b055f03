import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { describeWithLab } from './describe-with-lab';
import { Lab } from './lab';
import type { LabHost } from './host';
import { runProgram, type ProgramResult } from './program';
import { labUser } from './skeleton';

jest.setTimeout(60_000);

const day = 24 * 3600;

function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}

/** Logs in with the system's ssh, which accepts no key that known_hosts does not have. */
function ssh(lab: Lab, host: LabHost, command: string, user = labUser): Promise<ProgramResult> {
  const options = [
    'BatchMode=yes',
    'StrictHostKeyChecking=yes',
    `UserKnownHostsFile=${lab.knownHostsFile}`,
    'ConnectTimeout=3',
  ];
  const argv = ['ssh', '-F', 'none', '-i', lab.identityFile, '-p', `${host.sshd.port}`];
  return runProgram([...argv, ...options.flatMap((option) => ['-o', option]), `${user}@${host.address}`, command]);
}

async function say(host: LabHost, command: string): Promise<string> {
  const { stdout, stderr } = await host.exec(['sh', '-c', command], { as: labUser });
  return `${stdout}${stderr}`.trim();
}

describeWithLab('two lab hosts', () => {
  let lab: Lab;
  let web: LabHost;
  let db: LabHost;

  beforeAll(async () => {
    lab = await Lab.start({
      hosts: [
        { name: 'web', bootedAt: new Date((nowSeconds() - 3 * day) * 1000) },
        { name: 'db', system: 'debian-12', bootedAt: new Date((nowSeconds() - 400 * day) * 1000) },
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

  test('booted when they were told to', async () => {
    const now = nowSeconds();
    expect(Math.abs((await web.bootTimeSeconds()) - (now - 3 * day))).toBeLessThan(60);
    expect(Math.abs((await db.bootTimeSeconds()) - (now - 400 * day))).toBeLessThan(60);
    const uptime = Number((await say(db, 'cat /proc/uptime')).split(' ')[0]);
    expect(Math.abs(uptime - 400 * day)).toBeLessThan(60);
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

  test("let the user and root log in with the system's ssh", async () => {
    expect(await ssh(lab, web, 'hostname; id -un')).toMatchObject({ code: 0, stdout: `web\n${labUser}\n` });
    expect(await ssh(lab, db, 'hostname; id -un', 'root')).toMatchObject({ code: 0, stdout: 'db\nroot\n' });
  });

  test('show the flag to the user, and only their own', async () => {
    web.setFlag(['linux-image-6.8.0-50-generic', 'linux-base']);
    expect((await ssh(lab, web, 'cat /run/reboot-required.pkgs')).stdout).toBe(
      'linux-image-6.8.0-50-generic\nlinux-base\n',
    );
    expect(await say(db, 'ls /run/reboot-required*')).toContain('No such file');
    expect(fs.existsSync('/run/reboot-required')).toBe(false);
    web.clearFlag();
    expect((await ssh(lab, web, 'ls /run/reboot-required')).code).not.toBe(0);
  });
});
