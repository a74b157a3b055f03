import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { directSudoersLines, privilegedCommands, readFirewallPath } from '../../src/exposure/privilege';
import { freePort } from '../fixture/free-port';
import { describeWithLab } from '../lab/describe-with-lab';
import type { LabHost } from '../lab/host';
import { Lab } from '../lab/lab';
import { sshLogin } from '../lab/ssh-login';
import { ensureBuilt, runBuilt } from '../e2e/built-program';
import { setUpHost } from '../e2e/exposure-setup';
import { parseHostDocuments, type HostContract } from '../e2e/host-document-contract';
import { keyAttacks, preloading, type Scene } from './attacks';
import { runAs, sudoAttacks } from './sudo-attacks';
import { layTraps, listing } from './traps';

jest.setTimeout(120_000);

describeWithLab('the key of host-setup, in the hands of an attacker', () => {
  let lab: Lab;
  let guarded: LabHost;
  let open: LabHost;
  let before: ReadonlyMap<string, string>;

  beforeAll(async () => {
    ensureBuilt();
    const openSettings = 'AcceptEnv *\nPermitUserEnvironment yes\nPermitTunnel yes\nX11UseLocalhost yes\n';
    lab = await Lab.start({ hosts: [{ name: 'guarded' }, { name: 'open', sshdConfig: openSettings }] });
    guarded = lab.host('guarded');
    open = lab.host('open');
    for (const host of [guarded, open]) {
      await setUpHost(lab, host);
      await layTraps(host);
    }
    // Both sets of lines define an alias of this name.
    const direct = directSudoersLines('direct').map((line) => line.replace('REBOOT_EXPORTER', 'DIRECT'));
    await guarded.shell(`useradd --system direct\n${sudoers('direct', direct)}`);
    await open.shell(unguarded);
    // The same key, without its restrictions, in the same place.
    open.write('/var/lib/reboot-exporter/.ssh/authorized_keys', `${lab.clientKey.publicKey}\n`);
    // Makes sudo's own folder in /run, as any use of it does.
    await guarded.exec(['sudo', '-n', '-l'], { as: 'reboot-exporter' });
    before = await listing(guarded);
  });

  afterAll(() => lab?.stop());

  test.each(keyAttacks)('$name: works with another key, and is refused with this one', async (attack) => {
    const scene = async (host: LabHost, patienceMs: number): Promise<Scene> => ({
      lab,
      host,
      freePort: await freePort(),
      patienceMs,
    });
    const scenes = [await scene(open, 10_000), await scene(guarded, 1500)] as const;
    const [withAny, withThis] = await Promise.all(scenes.map((each) => attack.run(each)));
    expect(withAny).toMatch(attack.works);
    expect(withThis).toMatch(attack.refused);
    expect(withThis).not.toMatch(attack.works);
  });

  test.each(sudoAttacks)(
    'on the host, $name: works for a user who may do everything, and is refused',
    async (attack) => {
      expect(await runAs(open, attack)).toMatch(attack.works);
      const said = await runAs(guarded, attack);
      expect(said).toMatch(attack.refused);
      expect(said).not.toMatch(attack.works);
    },
  );

  test('its user may run by sudo what lists the firewall, word for word, and nothing else', async () => {
    const { stdout } = await guarded.exec(['sudo', '-n', '-l'], { as: 'reboot-exporter' });
    const [, allowed = ''] = stdout.split('may run the following commands');
    const commands = [...allowed.replaceAll(/\s+/g, ' ').matchAll(/\/usr\/local\/[^,]*/g)].map(([text]) => text.trim());
    expect(commands).toEqual(privilegedCommands.map(({ word }) => `${readFirewallPath} ${word}`));
    expect(allowed.match(/\(root\)|\(ALL|NOPASSWD:/g)).toEqual(['(root)', 'NOPASSWD:']);
    for (const { word } of privilegedCommands) {
      const { stderr } = await guarded.exec(['sudo', '-n', readFirewallPath, word], { as: 'reboot-exporter' });
      expect(stderr).not.toMatch(/password|not allowed/);
    }
  });

  test('no variable of its user reaches what sudo runs', async () => {
    const names = ['PATH=/tmp/hostile', 'LD_PRELOAD=/tmp/hostile/preload.so', 'ENV=/tmp/hostile/env', 'IFS=/'];
    const run = async (host: LabHost, command: string): Promise<string> => {
      const text = `env BASH_ENV=/tmp/hostile/env XTABLES_LIBDIR=/tmp/hostile ${names.join(' ')} /usr/bin/sudo -n ${command}`;
      const { stderr } = await host.exec(['sh', '-c', text], { as: 'reboot-exporter' });
      const witness = await host.shell('cat /tmp/witness || :; rm -f /tmp/witness');
      return `${witness}${preloading.exec(stderr)?.[0] ?? ''}`;
    };
    expect(await run(open, '/usr/bin/env nft')).toMatch(/hostile|LD_PRELOAD/);
    // The library is loaded into sudo itself by nobody: the dynamic linker ignores it in a program that changes its user.
    for (const { word } of privilegedCommands) expect(await run(guarded, `${readFirewallPath} ${word}`)).toBe('');
  });

  test('nothing on the host is other than before', async () => {
    expect(before.size).toBeGreaterThan(200);
    expect([...(await listing(guarded))].filter(([path, what]) => before.get(path) !== what)).toEqual([]);
  });

  test('a link in place of the flag leads the probe to nothing that its user may not read', async () => {
    const link = 'ln -sf /etc/shadow /run/reboot-required.pkgs; touch /run/reboot-required';
    const unlink = 'rm -f /run/reboot-required /run/reboot-required.pkgs';
    for (const host of [open, guarded]) await host.shell(link);
    const asRoot = await sshLogin(lab, open, '/usr/local/lib/reboot-exporter/probe', { user: 'root', input: '\n' });
    const asUser = await sshLogin(lab, guarded, '');
    for (const host of [open, guarded]) await host.shell(unlink);
    expect(asRoot.stdout).toMatch(/^root:\*:/m);
    expect(asUser.stdout).toContain('present=reboot-required');
    expect(asUser.stdout).not.toMatch(/^root:/m);
  });

  test('a probe that lies there changes what is known of that host alone', async () => {
    const configFile = join(lab.folder, 'reboot-exporter.yml');
    writeFileSync(configFile, lab.configYaml({ hosts: { exposure: 'internal' } } as never));
    const check = async (): Promise<ReadonlyMap<string, HostContract>> => {
      const { stdout, stderr } = await runBuilt(lab.folder, ['check', `--config.file=${configFile}`, '--format=json']);
      if (stdout === '') throw new Error(stderr);
      return parseHostDocuments(stdout);
    };
    const honest = await check();
    guarded.write(`${folder}/probe`, lyingProbe, { mode: 0o755 });
    const lied = await check();
    expect(honest.get('guarded')?.restart.verdict).not.toBe('required');
    expect(lied.get('guarded')?.restart).toMatchObject({ verdict: 'required', packages: ['host="open"', 'lie'] });
    expect(lied.get('open')?.restart).toEqual(honest.get('open')?.restart);
    expect([...lied.keys()]).toEqual([...honest.keys()]);
  });
});

const folder = '/usr/local/lib/reboot-exporter';

/** Says that a restart is needed, and then the same of the other host, in every way that it could be said. */
const lyingProbe = `#!/bin/sh
IFS= read -r request
nonce=\${request#*nonce=} nonce=\${nonce%%[!0-9a-f]*}
section() { printf '\\n=%s begin %s\\n%b\\n=%s end %s 0\\n' "$nonce" "$1" "$2" "$nonce" "$1"; }
printf '\\n=%s hello 1\\n' "$nonce"
section clock "date=$(date +%s.%N)"
section boot "boot_id=$(cat /proc/sys/kernel/random/boot_id)\\nuptime=1000.00 1\\nstat=btime $(($(date +%s) - 1000))"
section flag 'present=reboot-required\\npackages\\nlie\\nhost="open"'
section host 'name=open'
printf '\\n=%s done\\n' "$nonce"
printf '\\n=%s hello 1 open\\n' "$nonce"
section flag 'present=reboot-required'
`;

function sudoers(name: string, lines: readonly string[]): string {
  return `cat >/etc/sudoers.d/${name} <<'END'\n${lines.join('\n')}\nEND\nchmod 440 /etc/sudoers.d/${name}\n`;
}

/** May do everything: with its own files, and by sudo, which lets its environment in. */
const unguarded = `
useradd --system direct
rm /etc/sudoers.d/reboot-exporter
${['reboot-exporter', 'direct'].map((user) => sudoers(user, [`Defaults:${user} !env_reset, !secure_path, editor=/usr/bin/true`, `${user} ALL=(ALL:ALL) CWD=* NOPASSWD:SETENV: ALL`])).join('')}
chown -R reboot-exporter ${folder} /var/lib/reboot-exporter
`;
