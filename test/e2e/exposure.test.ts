import { describeWithLab } from '../lab/describe-with-lab';
import type { LabHost } from '../lab/host';
import { Lab } from '../lab/lab';
import { sshLogin } from '../lab/ssh-login';
import { describeWith } from '../fixture/programs';
import { directSudoersLines, readFirewallPath } from '../../src/exposure/privilege';
import { ensureBuilt, runBuilt } from './built-program';
import { exposureHosts, setUpFirewall } from './exposure-hosts';
import { checkAll, setUpHost, type Login } from './exposure-setup';
import { reachedPorts } from './exposure-truth';
import type { HostContract } from './host-document-contract';

jest.setTimeout(240_000);

type Port = HostContract['exposure']['ports'][number];

function openPorts({ exposure }: HostContract): readonly string[] {
  return exposure.ports
    .filter((port) => port.open_to === 'anywhere')
    .map(({ proto, port, family }) => `${proto}/${port} ${family}`)
    .sort();
}

/** A ruleset that lets in nobody but the probe, in nft's words. */
const closed = `nft -f - <<'RULES'
table inet filter {
  chain input {
    type filter hook input priority filter; policy drop;
    iifname lo accept
    ct state established,related accept
    meta l4proto ipv6-icmp accept
    ip saddr 10.0.0.0/8 tcp dport 22 accept
    ip6 saddr fd00::/8 tcp dport 22 accept
  }
}
RULES
`;

describeWith(['ufw', 'firewalld', 'dbus-daemon'], 'firewalls', () => {
  describeWithLab('of real front ends and programs, through real sshd', () => {
    let lab: Lab;
    let said: ReadonlyMap<string, HostContract>;
    const truth = new Map<string, readonly string[]>();

    beforeAll(async () => {
      ensureBuilt();
      lab = await Lab.start({ hosts: [...exposureHosts.values()].map(({ spec }) => spec) });
      for (const [name, host] of exposureHosts) {
        await setUpHost(lab, lab.host(name));
        await setUpFirewall(lab.host(name), host);
      }
      // What is read first must not depend on what the packets leave behind.
      said = await checkAll(lab, lab.hosts);
      for (const [name, { ports, udpPorts = [] }] of exposureHosts) {
        const named = (['root', 'sudo', 'plain'] as const).flatMap((login) =>
          document(name, login).exposure.ports.map(({ port }) => port),
        );
        truth.set(name, await reachedPorts(lab, lab.host(name), [...new Set([...ports, ...named])], udpPorts));
      }
    });

    afterAll(() => lab?.stop());

    function document(name: string, login: Login): HostContract {
      const found = said.get(`${name}-${login}`);
      if (found === undefined) throw new Error(`nothing is said about ${name}-${login}`);
      return found;
    }

    const names = [...exposureHosts.keys()];

    test.each(names)('%s: packets get in where they should, and nowhere else', (name) => {
      expect(truth.get(name)).toEqual([...(exposureHosts.get(name)?.open ?? [])].sort());
    });

    test.each(names.flatMap((name) => (['root', 'sudo'] as const).map((login) => [name, login] as const)))(
      '%s, %s: the truth, proven',
      (name, login) => {
        const { exposure, probe } = document(name, login);
        const open = truth.get(name) ?? [];
        expect(probe).toMatchObject({ success: true });
        expect({ ...exposure, ports: openPorts(document(name, login)) }).toMatchObject({
          verdict: open.length > 0 ? 'exposed' : 'not_exposed',
          basis: 'proven',
          ports: open,
        });
        // Nothing that is closed is called open, or not certain.
        const others = exposure.ports.filter((port) => port.open_to !== 'anywhere');
        expect(others.filter((port) => port.open_to === 'unknown')).toEqual([]);
        // The probe came in by ssh, from a private network: that is some.
        expect(others.map(portInBrief)).toContain('tcp/22 ipv4 some');
      },
    );

    test.each(names)('%s, without sudo: assumed, never "not exposed"', (name) => {
      const { exposure, probe } = document(name, 'plain');
      expect(probe).toMatchObject({ success: true });
      expect(exposure).toMatchObject({ verdict: 'unknown', basis: 'assumed' });
      expect(openPorts(document(name, 'plain'))).toEqual([]);
      expect(exposure['because']).toMatch(/needs root or sudo/);
    });

    test('each port is explained by the rule that decides', async () => {
      const because = (name: string, key: string): string =>
        document(name, 'sudo').exposure.ports.find((port) => portInBrief(port).startsWith(key))?.because ?? '';
      expect(because('ufw-open', 'tcp/443 ipv4')).toMatch(/table ip filter, chain ufw-user-input, rule \d+/);
      expect(because('ufw-open', 'tcp/5432 ipv4')).toMatch(/^open to 198\.51\.100\.0\/24 only: /);
      expect(because('ufw-open', 'tcp/8080 ipv4')).toMatch(/^open to nobody: dropped by /);
      expect(because('firewalld-open', 'tcp/443 ipv4')).toMatch(/table inet firewalld, chain filter_IN_public_allow/);
      expect(because('docker-nft', 'tcp/8080 ipv4')).toMatch(
        /sent on to 172\.17\.0\.2:80 by table ip nat, chain DOCKER, rule 2; accepted by .*table ip filter/,
      );
      expect(because('docker-legacy', 'tcp/8080 ipv4')).toContain('(iptables-legacy), chain DOCKER');
      expect(because('kube-nft', 'tcp/30080 ipv4')).toMatch(/sent on to 10\.244\.0\.[56]:8080 by table ip kube-proxy/);
      // For people, the same lines.
      const { stdout } = await runBuilt(lab.folder, ['check', '--config.file=exposure.yml', 'docker-nft-sudo']);
      expect(stdout).toContain('exposed to anywhere: exposed (proven)');
      expect(stdout).toContain(`tcp/8080 ipv4: ${because('docker-nft', 'tcp/8080 ipv4')}`);
    });
  });
});

function portInBrief({ proto, port, family, open_to: openTo }: Port): string {
  return `${proto}/${port} ${family} ${openTo}`;
}

describeWithLab('what the probe may read', () => {
  let lab: Lab;
  let said: ReadonlyMap<string, HostContract>;

  beforeAll(async () => {
    ensureBuilt();
    const names = [
      ...['as-printed', 'no-gzip', 'sudo-denied', 'broken-nft', 'half-nft', 'wrapper-gone', 'direct'],
    ] as const;
    lab = await Lab.start({
      hosts: names.map((name, index) => ({
        name,
        addresses: [`93.184.216.${90 + index}`],
        listeners: ['tcp 0.0.0.0:8080'],
        onBoot: closed,
        ...(name === 'no-gzip' ? { without: ['gzip'] } : {}),
      })),
    });
    for (const host of lab.hosts) await setUpHost(lab, host);
    lab.host('sudo-denied').files.remove('/etc/sudoers.d/reboot-exporter');
    lab.host('wrapper-gone').files.remove(readFirewallPath);
    lab.host('direct').files.remove(readFirewallPath);
    const lines = `${directSudoersLines('reboot-exporter').join('\n')}\n`;
    lab.host('direct').write('/etc/sudoers.d/reboot-exporter', lines, { mode: 0o440 });
    await lab.host('direct').shell('visudo -q -c');
    await breakNft(lab.host('broken-nft'), 'echo "netlink: Error: cache initialization failed" >&2\nexit 1');
    await breakNft(lab.host('half-nft'), '/usr/sbin/nft.real "$@" | head -c 300');
    said = await checkAll(lab, lab.hosts);
  });

  afterAll(() => lab?.stop());

  async function breakNft(host: LabHost, program: string): Promise<void> {
    await host.shell('cp /usr/sbin/nft /usr/sbin/nft.real');
    host.files.remove('/usr/sbin/nft');
    host.write('/usr/sbin/nft', `#!/bin/sh\n${program}\n`, { mode: 0o755 });
  }

  test.each<[string, Login, object]>([
    ['as-printed', 'root', { verdict: 'not_exposed', basis: 'proven' }],
    ['as-printed', 'sudo', { verdict: 'not_exposed', basis: 'proven' }],
    ['as-printed', 'plain', { verdict: 'unknown', basis: 'assumed' }],
    ['no-gzip', 'root', { verdict: 'not_exposed', basis: 'proven' }],
    ['no-gzip', 'sudo', { verdict: 'not_exposed', basis: 'proven' }],
    ['sudo-denied', 'root', { verdict: 'not_exposed', basis: 'proven' }],
    ['sudo-denied', 'sudo', { verdict: 'unknown', basis: 'assumed' }],
    ['wrapper-gone', 'sudo', { verdict: 'unknown', basis: 'assumed' }],
    ['direct', 'sudo', { verdict: 'not_exposed', basis: 'proven' }],
    ['broken-nft', 'root', { verdict: 'unknown', basis: 'assumed' }],
    ['broken-nft', 'sudo', { verdict: 'unknown', basis: 'assumed' }],
    ['half-nft', 'root', { verdict: 'unknown', basis: 'assumed' }],
    ['half-nft', 'sudo', { verdict: 'unknown', basis: 'assumed' }],
  ])('%s, %s', (name, login, expected) => {
    expect(said.get(`${name}-${login}`)).toMatchObject({ probe: { success: true }, exposure: expected });
  });

  test('sudo lets the user list the rules, and nothing else', async () => {
    const host = lab.host('as-printed');
    const sudo = (...argv: string[]): Promise<number | null> =>
      host.exec(['sudo', '-n', ...argv], { as: 'reboot-exporter' }).then(({ code }) => code);
    expect(await sudo(readFirewallPath, 'nft-json')).toBe(0);
    expect(await sudo(readFirewallPath, 'iptables-save')).toBe(0);
    for (const argv of [
      ['sh', '-c', 'id'],
      ['nft', 'flush', 'ruleset'],
      ['/usr/sbin/nft', 'list', 'ruleset'],
      [readFirewallPath],
      [readFirewallPath, 'nft-json', 'iptables-save'],
      [readFirewallPath, 'sh'],
      [readFirewallPath, '--', 'nft-json'],
    ]) {
      expect([argv, await sudo(...argv)]).toEqual([argv, 1]);
    }
    // The user can change nothing of what runs as root.
    const { stdout } = await host.exec(
      [
        'sh',
        '-c',
        `for f in ${readFirewallPath} /usr/local/lib/reboot-exporter ~/.ssh/authorized_keys; do [ ! -w "$f" ] || echo "$f"; done`,
      ],
      { as: 'reboot-exporter', env: { PATH: '/usr/bin:/bin', HOME: '/var/lib/reboot-exporter' } },
    );
    expect(stdout).toBe('');
  });

  test('the key runs the probe and nothing else', async () => {
    const { stdout } = await sshLogin(lab, lab.host('as-printed'), 'id; cat /etc/shadow');
    expect(stdout).not.toContain('uid=');
    expect(stdout).toContain('=0 hello');
  });
});
