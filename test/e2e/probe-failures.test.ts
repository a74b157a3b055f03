import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeWithLab } from '../lab/describe-with-lab';
import { Lab } from '../lab/lab';
import { mustRun } from '../lab/program';
import { ensureBuilt } from './built-program';
import { ExporterProcess } from './exporter-process';
import { scrape, type Scrape } from './scrape';
import { until } from './until';

jest.setTimeout(60_000);

/**
 * Gives a process its own hosts file and name servers: one that answers at once that nothing listens there, so that
 * the test depends on no name server of the machine's.
 */
const withOwnNames = String.raw`
mount --bind "$1/names/hosts" /etc/hosts
mount --bind "$1/names/resolv.conf" /etc/resolv.conf
mount --bind "$1/names/nsswitch.conf" /etc/nsswitch.conf
shift
exec "$@"
`;

describeWithLab('hosts that cannot be probed', () => {
  let lab: Lab;
  let exporter: ExporterProcess;

  beforeAll(async () => {
    ensureBuilt();
    lab = await Lab.start({
      hosts: [
        { name: 'good' },
        { name: 'by-name' },
        { name: 'rekeyed' },
        { name: 'reinstalled' },
        { name: 'stranger' },
        { name: 'other-user' },
        { name: 'no-keys', authorizedKeys: '' },
        { name: 'nameless' },
        { name: 'sshless', sshd: false },
        { name: 'closed-account', shell: '/usr/sbin/nologin' },
        { name: 'booting' },
        { name: 'no-sessions', sshdConfig: 'MaxSessions 0' },
        { name: 'other-command' },
        { name: 'web-server', sshd: false },
      ],
    });
    const strangers = lab.host('stranger').knownHostsLine();
    writeFileSync(lab.knownHostsFile, readFileSync(lab.knownHostsFile, 'utf8').replace(strangers, ''));
    const forced = `restrict,command="echo hello" ${lab.clientKey.publicKey}\n`;
    lab.host('other-command').write('/home/reboot-exporter/.ssh/authorized_keys', forced);
    // Something that speaks first, and not SSH.
    await lab.host('web-server').shell(
      `perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(LocalPort => 22, Listen => 9, ReuseAddr => 1); exit if fork;
        close STDIN; close STDOUT; close STDERR;
        while ($c = $s->accept) { print $c "HTTP/1.1 400 Bad Request\\r\\n\\r\\nThis is no SSH.\\r\\n"; close $c }'`,
    );
    mkdirSync(join(lab.folder, 'names'));
    writeFileSync(
      join(lab.folder, 'names/hosts'),
      `127.0.0.1 localhost\n${lab.host('by-name').address} by-name.lab.internal\n`,
    );
    writeFileSync(
      join(lab.folder, 'names/resolv.conf'),
      `nameserver ${lab.host('good').address}\noptions attempts:1 timeout:1\n`,
    );
    writeFileSync(join(lab.folder, 'names/nsswitch.conf'), 'hosts: files dns\n');
    const configFile = join(lab.folder, 'reboot-exporter.yml');
    writeFileSync(
      configFile,
      lab.configYaml({
        probe: { interval: '2s', timeout: '5s' },
        hosts: {
          'by-name': { address: 'by-name.lab.internal' },
          'other-user': { ssh: { user: 'nobody-there' } },
          nameless: { address: 'nameless.lab.internal' },
        },
      }),
    );
    exporter = await ExporterProcess.start({
      configFile,
      stateFile: join(lab.folder, 'state.json'),
      flags: ['--log.level=debug'],
      under: ['unshare', '--mount', 'sh', '-euc', withOwnNames, 'with-own-names', lab.folder],
    });
  });

  afterAll(async () => {
    await exporter?.kill();
    await lab?.stop();
  });

  /** Waits until the last probe of a host failed for a reason, or until it did not fail. */
  function fails(host: string, reason: string | null): Promise<Scrape> {
    return until(20, async () => {
      const metrics = await scrape(`${exporter.url}/metrics`);
      expect(metrics.labelValues('reboot_probe_failing_reason_info', 'reason', { host })).toEqual(
        reason === null ? [] : [reason],
      );
      expect(metrics.value('reboot_probe_success', { host })).toBe(reason === null ? 1 : 0);
      return metrics;
    });
  }

  /** The lines of the log about failures of a host. */
  function logOf(host: string): string {
    const lines = exporter.log.split('\n').filter((line) => line.includes(` host=${host} `));
    return lines.join('\n');
  }

  test.each([
    ['stranger', 'host_key', /the host key of stranger .* is not in .*known_hosts/],
    ['other-user', 'auth', /refused the key for user nobody-there/],
    ['no-keys', 'auth', /refused the key for user reboot-exporter/],
    ['nameless', 'dns', /nameless\.lab\.internal.* could not be resolved: the name server did not answer/],
    ['sshless', 'connect', /ECONNREFUSED|refused/],
    ['closed-account', 'command', /did not run the probe .*not available/],
    ['no-sessions', 'command', /./],
    ['other-command', 'output', /no probe report in the answer .*hello/],
    ['web-server', 'protocol', /does not speak SSH; it said .*HTTP/],
  ])('%s fails with the reason %s', async (host, reason, message) => {
    const metrics = await fails(host, reason);
    expect(logOf(host)).toMatch(message);
    expect(metrics.value('reboot_probe_failures_total', { host, reason })).toBeGreaterThan(0);
    const others = metrics
      .all('reboot_probe_failures_total', { host })
      .filter((each) => each.labels['reason'] !== reason);
    expect(others.map((each) => each.value)).toEqual(others.map(() => 0));
    expect(metrics.value('reboot_required', { host })).toBeUndefined();
    expect(metrics.value('reboot_required_unknown', { host })).toBeUndefined();
    expect(metrics.value('reboot_probe_last_success_timestamp_seconds', { host })).toBeUndefined();
  });

  test('one that lets nobody in while it boots counts as restarting', async () => {
    const booting = lab.host('booting');
    await fails('booting', null);
    booting.write('/run/nologin', 'System is booting up.\n');
    // As at a shutdown, all sessions end; its sshd goes on listening.
    await booting.shell(`pkill -f 'sshd: reboot-exporter' || :`);
    const metrics = await fails('booting', 'protocol');
    expect(metrics.value('reboot_host_restarting', { host: 'booting' })).toBe(1);
    await booting.shell('rm /run/nologin');
    const healed = await fails('booting', null);
    expect(healed.value('reboot_host_restarting', { host: 'booting' })).toBe(0);
  });

  test('hosts that fail delay no other, and a name is resolved', async () => {
    const metrics = await fails('good', null);
    expect(metrics.value('reboot_required', { host: 'good' })).toBe(0);
    await fails('by-name', null);
  });

  test('no key is offered to a host that is not known', async () => {
    await fails('stranger', 'host_key');
    expect(lab.host('stranger').sshd.log()).toMatch(/Connection (closed|reset) by/);
    expect(lab.host('stranger').sshd.log()).not.toMatch(/authenticating|Accepted|Failed|publickey/i);
  });

  test('a key that is added is used at the next probe', async () => {
    const host = lab.host('stranger');
    writeFileSync(lab.knownHostsFile, readFileSync(lab.knownHostsFile, 'utf8') + host.knownHostsLine());
    await fails('stranger', null);
  });

  test('a host key that changes is a reason of its own, and changes nothing else', async () => {
    const host = lab.host('rekeyed');
    const stateOf = (metrics: Scrape): string[] =>
      metrics.linesOf('rekeyed', (name) => !name.startsWith('reboot_probe_') && !/_age_|_restarting$/.test(name));
    host.setFlag(['libc6']);
    const before = await until(15, async () => {
      const metrics = await fails('rekeyed', null);
      expect(metrics.value('reboot_required', { host: 'rekeyed' })).toBe(1);
      return metrics;
    });
    const oldKey = await fingerprintOf(host.sshd.hostKeys()[0]);
    await host.changeHostKey();
    const newKey = await fingerprintOf(host.sshd.hostKeys()[0]);

    const refused = await fails('rekeyed', 'host_key');
    expect(stateOf(refused)).toEqual(stateOf(before));
    expect(refused.value('reboot_required_age_seconds', { host: 'rekeyed' })).toBeGreaterThan(
      before.value('reboot_required_age_seconds', { host: 'rekeyed' }) ?? NaN,
    );
    expect(refused.value('reboot_host_restarting', { host: 'rekeyed' })).toBe(0);
    expect(logOf('rekeyed')).toContain(oldKey);
    expect(logOf('rekeyed')).toContain(newKey);
    expect(logOf('rekeyed')).toMatch(/level=warn msg="A host could not be probed" host=rekeyed reason=host_key/);
    const log = host.sshd.log();

    lab.trustHostKeys();
    const trusted = await fails('rekeyed', null);
    expect(stateOf(trusted)).toEqual(stateOf(before));
    // Whoever presented that key was told nothing while it was not trusted.
    expect(log.split('Accepted publickey').length - 1).toBeLessThanOrEqual(1);
  });

  test('a host that was away and comes back with another key is told as well', async () => {
    const host = lab.host('reinstalled');
    await fails('reinstalled', null);
    await host.sshd.stop();
    await fails('reinstalled', 'connect');
    host.sshd.makeHostKeys();
    await host.sshd.start();
    await fails('reinstalled', 'host_key');
    const newKey = await fingerprintOf(host.sshd.hostKeys()[0]);
    const told = logOf('reinstalled')
      .split('\n')
      .filter((line) => line.includes(' level=warn '));
    expect(told.map((line) => / reason=(\w+) /.exec(line)?.[1])).toEqual(['connect', 'host_key']);
    expect(told[1]).toContain(newKey);
  });

  test('nothing of a key is in the log', () => {
    const secret = lab.clientKey.privateKey.split('\n')[1] ?? '';
    expect(secret.length).toBeGreaterThan(40);
    expect(exporter.log).not.toContain(secret);
    expect(exporter.log).not.toContain('PRIVATE KEY');
  });
});

/** As ssh-keygen prints it: `SHA256:…`. */
async function fingerprintOf(publicKey = ''): Promise<string> {
  const printed = await mustRun(['ssh-keygen', '-l', '-f', '-'], { input: `${publicKey}\n` });
  return printed.split(' ')[1] ?? '';
}
