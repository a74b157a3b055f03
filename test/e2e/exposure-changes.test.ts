import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeWithLab } from '../lab/describe-with-lab';
import type { LabHost } from '../lab/host';
import { Lab } from '../lab/lab';
import { describeWith } from '../fixture/programs';
import { ensureBuilt } from './built-program';
import { exposureHosts, setUpFirewall } from './exposure-hosts';
import { configOf, setUpHost } from './exposure-setup';
import { ExporterProcess } from './exporter-process';
import { scrape } from './scrape';
import { until } from './until';

jest.setTimeout(180_000);

/** Longer than two probes take on a busy machine, and far shorter than the interval of the firewall. */
const soonSeconds = 25;

/** The old tables, filled with what lets nobody in but the probe. */
const legacy = `
for tool in iptables ip6tables; do
  network=10.0.0.0/8
  [ $tool = iptables ] || network=fd00::/8
  $tool-legacy -A INPUT -i lo -j ACCEPT
  $tool-legacy -A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT
  $tool-legacy -A INPUT -s $network -p tcp --dport 22 -j ACCEPT
  $tool-legacy -P INPUT DROP
done
ip6tables-legacy -I INPUT -p ipv6-icmp -j ACCEPT
`;

/** A match of which nft shows no more than the name. */
const sets = `
ipset create nobody hash:net
ipset create everybody hash:net
ipset add everybody 0.0.0.0/1
ipset add everybody 128.0.0.0/1
${legacy.replaceAll('-legacy', '-nft')}
iptables-nft -A INPUT -p tcp --dport 8080 -m set --match-set nobody src -j ACCEPT
`;

describeWith(['ufw', 'firewalld', 'dbus-daemon'], 'changes', () => {
  describeWithLab('of what was read an hour ago at the latest', () => {
    let lab: Lab;
    let exporter: ExporterProcess;

    beforeAll(async () => {
      ensureBuilt();
      const known = ['ufw-closed', 'firewalld-closed'].map((name) => exposureHosts.get(name));
      const fronts = known.filter((host) => host !== undefined);
      lab = await Lab.start({
        hosts: [
          ...fronts.map(({ spec }) => spec),
          { name: 'legacy', addresses: ['93.184.216.100'], listeners: ['tcp [::]:8080'], onBoot: legacy },
          { name: 'sets', addresses: ['93.184.216.101'], listeners: ['tcp [::]:8080'], onBoot: sets },
        ],
      });
      for (const host of lab.hosts) await setUpHost(lab, host);
      for (const host of fronts) await setUpFirewall(lab.host(host.spec.name), host);
      const configFile = join(lab.folder, 'changes.yml');
      writeFileSync(configFile, configOf(lab, lab.hosts, { interval: '2s', exposure_interval: '1h' }));
      exporter = await ExporterProcess.start({ configFile, stateFile: join(lab.folder, 'state.json') });
    });

    afterAll(async () => {
      await exporter?.end('SIGTERM');
      await lab?.stop();
    });

    async function expectSoon(host: LabHost, value: 0 | 1): Promise<void> {
      await until(soonSeconds, async () => {
        const metrics = await scrape(`${exporter.url}/metrics`);
        const of = (login: string): unknown => metrics.value('exposed_to_anywhere', { host: `${host.name}-${login}` });
        expect({ root: of('root'), sudo: of('sudo'), plain: of('plain') }).toEqual({
          root: value,
          sudo: value,
          plain: 1,
        });
      });
    }

    test.each([
      ['ufw-closed', 'ufw allow 8080/tcp', 'ufw delete allow 8080/tcp'],
      ['firewalld-closed', 'firewall-cmd --add-port=8080/tcp', 'firewall-cmd --remove-port=8080/tcp'],
      [
        'legacy',
        'iptables-legacy -A INPUT -p tcp --dport 8080 -j ACCEPT',
        'iptables-legacy -D INPUT -p tcp --dport 8080 -j ACCEPT',
      ],
      [
        'sets',
        'iptables-nft -R INPUT 4 -p tcp --dport 8080 -m set --match-set everybody src -j ACCEPT',
        'iptables-nft -R INPUT 4 -p tcp --dport 8080 -m set --match-set nobody src -j ACCEPT',
      ],
    ])('%s: the next probe sees it', async (name, open, close) => {
      const host = lab.host(name);
      await expectSoon(host, 0);
      await host.shell(open);
      await expectSoon(host, 1);
      await host.shell(close);
      await expectSoon(host, 0);
    });

    test('a new listener behind an open port is seen, too', async () => {
      const host = lab.host('ufw-closed');
      await host.shell('ufw allow 9090/tcp');
      await expectSoon(host, 0);
      const listener = await host.listen('tcp 0.0.0.0:9090');
      await expectSoon(host, 1);
      await listener.close();
      await expectSoon(host, 0);
    });
  });
});
