import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeWithLab } from '../lab/describe-with-lab';
import { Lab } from '../lab/lab';
import { ensureBuilt, runBuilt } from './built-program';
import { ExporterProcess } from './exporter-process';
import { scrape, type Scrape } from './scrape';
import { until } from './until';

jest.setTimeout(60_000);

const probe = { interval: '10m', timeout: '20s' };

describeWithLab('reboot-exporter serve', () => {
  let lab: Lab;
  let configFile: string;
  const running = new Set<ExporterProcess>();

  beforeAll(async () => {
    ensureBuilt();
    lab = await Lab.start({
      hosts: [
        { name: 'quick', exposure: 'internal' },
        { name: 'slow', exposure: 'internal', sshdConfig: 'ForceCommand sleep 2; exec /bin/sh' },
        { name: 'stuck', exposure: 'internal', sshdConfig: 'ForceCommand sleep 1000' },
      ],
    });
    configFile = join(lab.folder, 'reboot-exporter.yml');
    configure({});
  });

  afterAll(async () => {
    await Promise.all([...running].map((exporter) => exporter.kill()));
    await lab?.stop();
  });

  function configure(overrides: Parameters<Lab['configYaml']>[0], without: readonly string[] = []): void {
    const yaml = lab.configYaml({ probe, ...overrides });
    const hosts = yaml.split(/^(?= {2}- name: )/m);
    writeFileSync(
      configFile,
      hosts.filter((host) => !without.some((name) => host.startsWith(`  - name: ${name}\n`))).join(''),
    );
  }

  async function start(stateFile: string, flags: readonly string[] = []): Promise<ExporterProcess> {
    const exporter = await ExporterProcess.start({ configFile, stateFile: join(lab.folder, stateFile), flags });
    running.add(exporter);
    return exporter;
  }

  function succeeds(exporter: ExporterProcess, host: string): Promise<Scrape> {
    return until(15, async () => {
      const metrics = await scrape(`${exporter.url}/metrics`);
      expect(metrics.value('reboot_probe_success', { host })).toBe(1);
      return metrics;
    });
  }

  test('at SIGTERM finishes what is in flight, takes nothing new, and exits with 0', async () => {
    configure({}, ['stuck']);
    const exporter = await start('drained.json');
    await succeeds(exporter, 'quick');
    await succeeds(exporter, 'slow');
    const inFlight = fetch(`${exporter.url}/probe?target=slow`);
    await sleep(500);
    const begunMs = performance.now();
    const ending = exporter.end('SIGTERM');
    await sleep(300);
    await expect(fetch(`${exporter.url}/metrics`)).rejects.toThrow();
    const answer = await inFlight;
    expect(answer.status).toBe(200);
    expect(await answer.text()).toMatch(/^probe_success 1$/m);
    expect(await ending).toEqual({ code: 0, signal: null });
    expect(performance.now() - begunMs).toBeLessThan(6000);
    expect(exporter.log).toMatch(/msg=Stopping signal=SIGTERM\n(.*\n)*.*msg=Stopped\n$/);
    expect(readdirSync(lab.folder).filter((name) => name.startsWith('drained.json'))).toEqual(['drained.json']);
  });

  test('at SIGINT does not wait for ever for a host that is stuck', async () => {
    configure({}, ['slow']);
    const exporter = await start('stuck.json');
    await succeeds(exporter, 'quick');
    const begunMs = performance.now();
    expect(await exporter.end('SIGINT')).toEqual({ code: 0, signal: null });
    expect(performance.now() - begunMs).toBeLessThan(18_000);
    expect(exporter.log).not.toMatch(/level=error/);
  });

  test('at a second signal ends at once', async () => {
    const exporter = await start('impatient.json');
    await succeeds(exporter, 'quick');
    const begunMs = performance.now();
    const ending = exporter.end('SIGTERM');
    await sleep(300);
    await exporter.end('SIGTERM');
    expect(await ending).toEqual({ code: null, signal: 'SIGTERM' });
    expect(performance.now() - begunMs).toBeLessThan(3000);
  });

  test.each([
    [['serve', '--web.listen-adress=:0'], /unknown option '--web\.listen-adress=:0'/],
    [['serve', '--web.listen-address=nonsense'], /Not an address such as :10066/],
    [['serve', '--shard=4/3'], /Not a shard such as 1\/3/],
    [['serve', '--log.level=loud'], /Allowed choices are debug, info, warn, error/],
    [['srve'], /./],
    [['check', '--format=xml'], /Allowed choices are table, json/],
  ])('exits with 2 for the bad flags of %j', async (argv, message) => {
    const { code, stdout, stderr } = await runBuilt(lab.folder, argv);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
  });

  test('exits with 1 for a bad configuration, with file, line and column of every fault', async () => {
    writeFileSync(join(lab.folder, 'bad.yml'), 'probe:\n  interval: 5 minutes\nhosts:\n  - nmae: a\n');
    const { code, stdout, stderr } = await runBuilt(lab.folder, ['--config.file=bad.yml']);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/bad\.yml:2:13: .*interval/);
    expect(stderr).toMatch(/bad\.yml:4:5: unknown key `nmae`.*`name`/);
    expect(existsSync(join(lab.folder, 'reboot-exporter.state.json'))).toBe(false);
  });

  test('exits with 1 when its address is in use, and when it may not keep its state', async () => {
    configure({}, ['slow', 'stuck']);
    const exporter = await start('first.json');
    const { host } = new URL(exporter.url);
    const second = ExporterProcess.launch({
      configFile,
      stateFile: join(lab.folder, 'second.json'),
      listenAddress: host,
    });
    expect(await second.ending()).toEqual({ code: 1, signal: null });
    expect(second.log).toMatch(/level=error msg="Could not start" error=.*EADDRINUSE/);
    const lost = ExporterProcess.launch({ configFile, stateFile: join(lab.folder, 'no-such-folder/state.json') });
    expect(await lost.ending()).toEqual({ code: 1, signal: null });
    expect(lost.log).toMatch(/level=error msg="Could not start" error=.*ENOENT.*no-such-folder/);
    expect(await exporter.end('SIGTERM')).toEqual({ code: 0, signal: null });
  });

  test.each([
    ['cut off', '{"format":"reboot-exporter-state","version":1,"hosts":{"quick"'],
    ['empty', ''],
    ['of something else', '{"name":"left-pad"}'],
    ['of a newer exporter', '{"format":"reboot-exporter-state","version":99,"hosts":{}}'],
  ])('sets a state file that is %s aside, says so, and goes on', async (_what, content) => {
    const stateFile = join(lab.folder, 'odd.json');
    writeFileSync(stateFile, content);
    const exporter = await start('odd.json');
    await succeeds(exporter, 'quick');
    expect(exporter.log).toMatch(
      /level=warn msg="The state file could not be used; it is set aside and begun anew" file=\S+/,
    );
    const aside = / aside=(\S+)/.exec(exporter.log)?.[1] ?? '';
    expect(readFileSync(aside, 'utf8')).toBe(content);
    expect(await exporter.end('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(JSON.parse(readFileSync(stateFile, 'utf8'))).toMatchObject({ version: 1, hosts: { quick: {} } });
  });

  test('loads a changed configuration at SIGHUP, and keeps the old one while the new one is bad', async () => {
    configure({}, ['slow', 'stuck']);
    const exporter = await start('reloaded.json', ['--web.enable-lifecycle']);
    const before = await succeeds(exporter, 'quick');
    expect(before.labelValues('reboot_probe_success', 'host')).toEqual(['quick']);

    configure({}, ['stuck']);
    exporter.signal('SIGHUP');
    const more = await succeeds(exporter, 'slow');
    expect(more.value('reboot_host_boot_timestamp_seconds', { host: 'quick' })).toBe(
      before.value('reboot_host_boot_timestamp_seconds', { host: 'quick' }),
    );

    writeFileSync(configFile, 'hosts: 3\n');
    const refused = await fetch(`${exporter.url}/-/reload`, { method: 'POST' });
    expect([refused.status, await refused.text()]).toEqual([500, expect.stringMatching(/reboot-exporter\.yml:1:8: /)]);
    const kept = await scrape(`${exporter.url}/metrics`);
    expect(kept.value('reboot_exporter_config_last_reload_successful')).toBe(0);
    expect(kept.labelValues('reboot_required', 'host')).toEqual(['quick', 'slow']);

    configure({}, ['slow', 'stuck']);
    expect((await fetch(`${exporter.url}/-/reload`, { method: 'POST' })).status).toBe(200);
    const fewer = await scrape(`${exporter.url}/metrics`);
    expect(fewer.value('reboot_exporter_config_last_reload_successful')).toBe(1);
    expect(fewer.text).not.toContain('host="slow"');
    expect(await exporter.end('SIGTERM')).toEqual({ code: 0, signal: null });
  });

  test('says that it is healthy and ready', async () => {
    const exporter = await start('healthy.json');
    for (const path of ['/-/healthy', '/-/ready']) expect((await fetch(`${exporter.url}${path}`)).status).toBe(200);
    expect((await fetch(`${exporter.url}/-/reload`, { method: 'POST' })).status).toBe(403);
    expect(await exporter.end('SIGTERM')).toEqual({ code: 0, signal: null });
  });
});
