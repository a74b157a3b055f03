import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { builtProgram, ensureBuilt, projectFolder, runBuilt } from './built-program';
import { parseHostDocuments } from './host-document-contract';
import { scrape, type Scrape } from './scrape';
import { until } from './until';

jest.setTimeout(60_000);

const isRoot = process.getuid?.() === 0;
/** Debian's nobody and nogroup. */
const nobody = 65_534;

/**
 * Runs the demo as nobody, who may not be able to read the folder that the project is in: both that and Node.js are
 * shown to him elsewhere.
 */
const asNobody = String.raw`
mount -t tmpfs tmpfs /mnt
mkdir /mnt/project
mount --bind "$1" /mnt/project
: >/mnt/node
mount --bind "$2" /mnt/node
cd /mnt/project
exec setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs \
  /usr/bin/env -i TMPDIR="$3" PATH=/nowhere /mnt/node dist/main.js demo "$4"
`;

/** What the demo's fleet is set up as: a restart's verdict and reasons, exposure and why the answer is that; or the failure. */
const fleet: Readonly<Record<string, readonly unknown[]>> = {
  'web-1': [1, ['flag', 'kernel', 'library'], 1, 'proven'],
  'web-2': [0, [], 1, 'proven'],
  'web-3': [1, ['flag', 'library'], 1, 'proven'],
  'api-1': [1, ['flag', 'kernel'], 1, 'proven'],
  'db-1': [1, ['flag'], 0, 'proven'],
  'db-2': [0, [], 0, 'proven'],
  'files-1': [1, ['kernel'], 0, 'no-public-address'],
  'print-1': [undefined, [], 0, 'no-public-address'],
  'mail-1': [1, ['flag', 'kernel'], 1, 'assumed'],
  'wiki-1': [0, [], 0, 'no-public-address'],
  'backup-1': ['connect'],
  'vpn-1': ['host_key'],
};

function stateOf(metrics: Scrape, host: string): readonly unknown[] {
  if (metrics.value('reboot_probe_success', { host }) === 0) {
    return metrics.labelValues('reboot_probe_failing_reason_info', 'reason', { host });
  }
  return [
    metrics.value('reboot_required', { host }),
    metrics.labelValues('reboot_required_reason_info', 'reason', { host }),
    metrics.value('exposed_to_anywhere', { host }),
    metrics.labelValues('exposed_to_anywhere_basis_info', 'basis', { host })[0],
  ];
}

describe('reboot-exporter demo', () => {
  let folder: string;
  let child: ChildProcess;
  let said = '';
  let startedMs: number;
  let url: string;
  let ended: Promise<unknown[]>;

  beforeAll(async () => {
    ensureBuilt();
    folder = mkdtempSync(join(tmpdir(), 'reboot-exporter-demo-test-'));
    if (isRoot) chownSync(folder, nobody, nobody);
    const listen = '--web.listen-address=127.0.0.1:0';
    startedMs = Date.now();
    child = isRoot
      ? spawn('unshare', ['--mount', 'sh', '-euc', asNobody, 'demo', projectFolder, process.execPath, folder, listen])
      : spawn(process.execPath, [builtProgram, 'demo', listen], { env: { TMPDIR: folder, PATH: '/nowhere' } });
    child.stdout?.on('data', (piece: Buffer) => (said += piece.toString()));
    child.stderr?.on('data', (piece: Buffer) => (said += piece.toString()));
    ended = once(child, 'close');
    url = await until(20, () => {
      const found = /for Prometheus +(http:\/\/\S+)\/metrics/.exec(said)?.[1];
      if (found === undefined) throw new Error(`the demo has not started: ${said}`);
      return found;
    });
  });

  afterAll(async () => {
    child?.kill('SIGKILL');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  });

  test('needs neither root nor another program', () => {
    const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
    expect(status).toMatch(/^Name:\s+(?:node|MainThread)$/m);
    if (isRoot) expect(status).toMatch(/^Uid:\s+65534\s+65534\s+65534\s+65534$/m);
    expect(status).toMatch(/^CapEff:\s+0+$/m);
  });

  test('shows its fleet within seconds', async () => {
    const metrics = await until(10, async () => {
      const scraped = await scrape(`${url}/metrics`);
      const states = Object.keys(fleet).map((host) => [host, stateOf(scraped, host)]);
      expect(Object.fromEntries(states)).toEqual(fleet);
      return scraped;
    });
    process.stderr.write(`demo: all values ${((metrics.endedMs - startedMs) / 1000).toFixed(1)} s after its start\n`);
    expect(metrics.labelValues('reboot_probe_success', 'host')).toEqual(Object.keys(fleet).sort());
    const days = (host: string): number =>
      Math.round((metrics.value('reboot_required_age_seconds', { host }) ?? NaN) / (24 * 3600));
    expect(['web-1', 'api-1', 'db-1', 'files-1'].map(days)).toEqual([20, 4, 35, 16]);
    expect(metrics.value('reboot_required_unknown', { host: 'print-1' })).toBe(1);
    expect(metrics.labelValues('exposed_port_info', 'port', { host: 'web-1' })).toEqual(['443', '80']);
  });

  test('answers as JSON and with a page, and check can be run on it as it says', async () => {
    const documents = parseHostDocuments(await (await fetch(`${url}/api/v1/hosts`)).text());
    expect(documents.get('web-1')).toMatchObject({ stack: 'shop', urgency: 'critical' });
    const page = await (await fetch(`${url}/`)).text();
    for (const host of Object.keys(fleet)) expect(page).toContain(host);
    const configFile = /check --config\.file=(\S+)/.exec(said)?.[1] ?? '';
    const { code, stdout } = await runBuilt(projectFolder, ['check', `--config.file=${configFile}`]);
    expect(stdout).toMatch(/12 hosts, \d need a restart/);
    expect(code).toBe(2);
  });

  test('tells another one that its address is taken', async () => {
    const own = mkdtempSync(join(folder, 'other-'));
    const argv = ['demo', `--web.listen-address=${new URL(url).host}`];
    const { code, stderr } = await runBuilt(projectFolder, argv, { env: { ...process.env, TMPDIR: own } });
    expect(stderr).toMatch(/EADDRINUSE.*--web\.listen-address=/);
    expect(code).toBe(1);
    expect(readdirSync(own)).toEqual([]);
    rmSync(own, { recursive: true });
  });

  test('lets something happen while one watches', async () => {
    await until(40, async () => {
      expect(said).toContain('web-2: unattended-upgrades installs libc6 and raises the flag');
      const metrics = await scrape(`${url}/metrics`);
      expect(stateOf(metrics, 'web-2')).toEqual([1, ['flag', 'library'], 1, 'proven']);
      expect(metrics.labelValues('reboot_required_package_info', 'package', { host: 'web-2' })).toEqual(['libc6']);
      expect(metrics.value('reboot_required_age_seconds', { host: 'web-2' })).toBeLessThan(20);
    });
  });

  test('ends at Ctrl-C, and leaves nothing', async () => {
    expect(readdirSync(folder)).toHaveLength(1);
    const begunMs = Date.now();
    child.kill('SIGINT');
    expect(await ended).toEqual([0, null]);
    expect(Date.now() - begunMs).toBeLessThan(10_000);
    expect(readdirSync(folder)).toEqual([]);
  });
});
