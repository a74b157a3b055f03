import { describeWithLab } from './describe-with-lab';
import type { LabHost } from './host';
import { Lab } from './lab';
import { labUser } from './skeleton';
import { sshLogin } from './ssh-login';

jest.setTimeout(60_000);

const sudoers = `${labUser} ALL=(root) NOPASSWD: /usr/sbin/nft list ruleset`;

describeWithLab('what a lab host can be', () => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await Lab.start({
      hosts: [
        { name: 'fish', shell: '/usr/bin/fish', sudoers },
        { name: 'tcsh', shell: '/usr/bin/tcsh' },
        { name: 'nologin', shell: '/usr/sbin/nologin' },
        { name: 'noisy', files: { [`/home/${labUser}/.bashrc`]: 'echo noise\n' } },
        { name: 'alpine', system: 'alpine-3.20' },
        { name: 'bash', sh: 'bash', without: ['stat', 'sudo'] },
        { name: 'docker', container: 'docker' },
        { name: 'lxc', container: 'lxc' },
        { name: 'old', system: 'ubuntu-22.04', birthTimes: false },
        { name: 'forced', authorizedKeys: 'restrict,command="echo forced" ssh-ed25519 AAAA' },
        { name: 'silent', sshd: false },
      ],
    });
  });

  afterAll(() => lab?.stop());

  async function answer(name: string, command: string): Promise<string> {
    const { stdout, stderr } = await sshLogin(lab, lab.host(name), command);
    return `${stdout}${stderr}`.trim();
  }

  async function root(host: LabHost, command: string): Promise<string> {
    const { stdout, stderr } = await host.exec(['sh', '-c', command]);
    return `${stdout}${stderr}`.trim();
  }

  test('a login shell of another kind', async () => {
    expect(await answer('fish', 'echo $FISH_VERSION')).toMatch(/^3\./);
    expect(await answer('tcsh', 'echo $tcsh')).toMatch(/^6\./);
    expect(await answer('nologin', 'true')).toContain('not available');
    expect(await answer('noisy', 'echo said')).toBe('noise\nsaid');
  });

  test('another /bin/sh, and programs that are not there', async () => {
    expect(await answer('bash', '/bin/sh -c \'echo "$BASH_VERSION"\'')).toMatch(/^5\./);
    expect(await answer('fish', '/bin/sh -c \'echo "[$BASH_VERSION]"\'')).toBe('[]');
    expect(await answer('bash', 'stat /; sudo -n true')).toMatch(/stat: command not found[^]*sudo: command not found/);
    expect(await answer('fish', 'command -v stat')).toBe('/usr/bin/stat');
  });

  test('BusyBox for everything', async () => {
    expect(await answer('alpine', 'stat --help')).toContain('BusyBox');
    expect(await answer('alpine', 'readlink -f /bin/sh')).toBe('/usr/bin/busybox');
    expect(await answer('alpine', 'dpkg-query -W')).toContain('not found');
    expect(await answer('alpine', 'uname -r; date +%Y; . /etc/os-release; echo $ID')).toMatch(
      /^6\.6\.58-0-lts\n20\d\d\nalpine$/,
    );
    await lab.host('alpine').restart();
    expect(await answer('alpine', 'hostname')).toBe('alpine');
  });

  test('sudo for one command', async () => {
    const host = lab.host('fish');
    await host.applyRules('nft add table inet seen');
    expect(await answer('fish', 'sudo -n /usr/sbin/nft list ruleset')).toBe('table inet seen {\n}');
    expect(await answer('fish', 'sudo -n /usr/sbin/nft flush ruleset')).toContain('password is required');
    expect(await answer('tcsh', 'sudo -n /usr/sbin/nft list ruleset')).toContain('password is required');
    expect(await answer('tcsh', '/usr/sbin/nft list ruleset')).toContain('Operation not permitted');
  });

  test('a container, by its markers', async () => {
    expect(await root(lab.host('docker'), 'ls /.dockerenv')).toBe('/.dockerenv');
    expect(await root(lab.host('lxc'), 'cat /run/systemd/container; tr "\\0" "\\n" </proc/1/environ')).toBe(
      'lxc\ncontainer=lxc',
    );
    expect(await root(lab.host('old'), 'ls -d /.dockerenv /run/systemd 2>&- | wc -l; wc -c </proc/1/environ')).toBe(
      '0\n0',
    );
  });

  test('a kernel whose /run has no birth times', async () => {
    const host = lab.host('old');
    host.setFlag(['libc6']);
    expect(await answer('old', 'stat -c "%W %Y" /run/reboot-required')).toMatch(/^0 1\d{9}$/);
  });

  test('keys of its own choosing, and no sshd', async () => {
    expect(await answer('forced', 'id')).toContain('Permission denied (publickey');
    const key = `restrict,command="echo forced" ${lab.clientKey.publicKey}\n`;
    lab.host('forced').write(`/home/${labUser}/.ssh/authorized_keys`, key);
    expect(await answer('forced', 'id')).toBe('forced');
    expect(await answer('silent', 'id')).toContain('Connection refused');
    expect(await root(lab.host('silent'), 'hostname')).toBe('silent');
  });

  test('a clock that is wrong, also after a restart', async () => {
    const host = lab.host('noisy');
    const booted = await host.bootTimeSeconds();
    const ahead = 4_100_000_000 - Math.floor(Date.now() / 1000);
    await host.setClock(ahead);
    expect(await host.bootTimeSeconds()).toBe(booted + ahead);
    expect(await root(host, 'date +%Y; date -u +%Y-%m')).toBe('2099\n2099-12');
    expect(await root(host, 'date -u -d @0 +%Y')).toBe('1970');
    await host.restart();
    expect(Math.abs((await host.bootTimeSeconds()) - 4_100_000_000)).toBeLessThan(60);
    await host.setClock(-Math.floor(Date.now() / 1000));
    expect(await root(host, 'date -u +%Y')).toBe('1970');
    await host.setClock(0);
    expect(Math.abs((await host.bootTimeSeconds()) - Date.now() / 1000)).toBeLessThan(60);
    expect(Math.abs(Number(await root(host, 'date +%s')) - Date.now() / 1000)).toBeLessThan(5);
  });

  test('kernels, installed and running', async () => {
    const host = lab.host('tcsh');
    host.installKernel('6.8.0-50-generic', '6.8.0-50.51');
    expect(await root(host, 'ls /boot /usr/lib/modules; uname -r; dpkg-query -W linux-image-6.8.0-50-generic')).toBe(
      [
        '/boot:',
        'vmlinuz-6.8.0-49-generic',
        'vmlinuz-6.8.0-50-generic',
        '',
        '/usr/lib/modules:',
        '6.8.0-49-generic',
        '6.8.0-50-generic',
        '6.8.0-49-generic',
        'linux-image-6.8.0-50-generic\t6.8.0-50.51',
      ].join('\n'),
    );
  });
});
