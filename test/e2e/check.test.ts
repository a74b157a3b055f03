import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeWithLab } from '../lab/describe-with-lab';
import { Lab } from '../lab/lab';
import { runProgram, type ProgramResult } from '../lab/program';
import { builtProgram, ensureBuilt, runBuilt } from './built-program';
import { parseHostDocuments } from './host-document-contract';

jest.setTimeout(60_000);

const daySeconds = 24 * 3600;
const nowSeconds = Math.floor(Date.now() / 1000);

function kernelUnpacked(daysAgo: number): { name: string; version: string; installedAt: Date } {
  const installedAt = new Date((nowSeconds - daysAgo * daySeconds) * 1000);
  return { name: 'linux-image-6.8.0-50-generic', version: '6.8.0-50.51', installedAt };
}

const booted = (daysAgo: number): Date => new Date((nowSeconds - daysAgo * daySeconds) * 1000);

describeWithLab('reboot-exporter check', () => {
  let lab: Lab;

  beforeAll(async () => {
    ensureBuilt();
    lab = await Lab.start({
      hosts: [
        { name: 'clean', stack: 'shop', exposure: 'exposed', labels: { team: 'web' } },
        { name: 'due', bootedAt: booted(30), packages: [kernelUnpacked(2)], exposure: 'internal' },
        { name: 'warned', bootedAt: booted(30), packages: [kernelUnpacked(5)], exposure: 'exposed' },
        { name: 'overdue', stack: 'shop', bootedAt: booted(90), packages: [kernelUnpacked(40)], exposure: 'exposed' },
        { name: 'alpine', system: 'alpine-3.20', exposure: 'internal' },
        { name: 'silent', exposure: 'internal' },
        { name: 'stranger', exposure: 'internal' },
        { name: 'evaluated', listeners: ['tcp 0.0.0.0:8080'] },
      ],
    });
    lab.host('overdue').setFlag(['linux-image-6.8.0-50-generic', 'linux-base']);
    await lab.host('silent').partition('reset');
    const known = readFileSync(lab.knownHostsFile, 'utf8');
    writeFileSync(lab.knownHostsFile, known.replace(lab.host('stranger').knownHostsLine(), ''));
    writeFileSync(
      join(lab.folder, 'reboot-exporter.yml'),
      lab.configYaml({ probe: { interval: '5m', timeout: '5s' } }),
    );
  });

  afterAll(() => lab?.stop());

  function check(...argv: string[]): Promise<ProgramResult> {
    // A script runs it, be it in CI or not.
    return runBuilt(lab.folder, ['check', ...argv], { env: { ...process.env, CI: 'true' } });
  }

  test.each([
    [0, ['clean']],
    [1, ['due']],
    [1, ['warned']],
    [2, ['overdue']],
    [3, ['alpine']],
    [3, ['silent']],
    [1, ['clean', 'due']],
    [3, ['clean', 'due', 'silent']],
    [2, ['clean', 'due', 'silent', 'overdue']],
    [2, []],
  ])('exits with %i for %j: the worst host wins', async (code, hosts) => {
    const format = hosts.length === 1 ? 'json' : 'table';
    expect(await check(`--format=${format}`, ...hosts)).toMatchObject({ code, stderr: '' });
  });

  test('prints a table in which the most urgent hosts come first', async () => {
    const { stdout } = await check();
    const lines = stdout.split('\n');
    expect(lines[0]).toMatch(/^HOST +STACK +RESTART +FOR +SINCE +WHY +EXPOSED +URGENCY$/);
    const row = (host: string): string => lines.find((line) => line.startsWith(`${host} `)) ?? '';
    const order = lines.slice(1, 9).map((line) => line.split(' ')[0]);
    expect(order.slice(0, 2)).toEqual(['overdue', 'warned']);
    expect(order.slice(2, 5).sort()).toEqual(['alpine', 'silent', 'stranger']);
    expect(order.slice(5).sort()).toEqual(['clean', 'due', 'evaluated']);
    const since = new Date((nowSeconds - 40 * daySeconds) * 1000).toISOString().slice(0, 19);
    expect(row('overdue')).toMatch(
      /^overdue +shop +required +40d .* flag, kernel \(linux-base, linux-image-.* critical$/,
    );
    expect(row('overdue')).toContain(`${since}Z (package)`);
    expect(row('clean')).toMatch(/^clean +shop +not needed +- +- +- .* none$/);
    expect(row('silent')).toMatch(/^silent +default +no answer +- +- +connect: .* unknown$/);
    expect(row('alpine')).toMatch(/^alpine +default +unknown .* unknown$/);
    expect(stdout.trimEnd()).toMatch(/\n8 hosts, 3 need a restart, 1 overdue, 3 could not be told$/);
    // A pipe is no terminal: no colours.
    expect(stdout).not.toMatch(/\u001b/);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(250);
  });

  test('tells everything about a host that is named', async () => {
    const { stdout } = await check('overdue');
    for (const part of [
      'overdue (stack shop)',
      'restart: required, urgency critical',
      'evidence: package',
      'flag: required: /run/reboot-required exists',
      'kernel: required: 6.8.0-49-generic runs, 6.8.0-50-generic is installed',
      'packages: linux-base, linux-image-6.8.0-50-generic',
      'exposed to anywhere: exposed (declared)',
    ]) {
      expect(stdout).toContain(part);
    }
  });

  test("prints the contract's document as JSON", async () => {
    const { stdout } = await check('--format=json');
    const documents = parseHostDocuments(stdout);
    expect([...documents.keys()].sort()).toEqual(lab.hosts.map(({ name }) => name).sort());
    const overdue = documents.get('overdue');
    expect(overdue).toMatchObject({
      stack: 'shop',
      labels: {},
      probe: { success: true, reason: null, message: null },
      restart: {
        verdict: 'required',
        since: new Date((nowSeconds - 40 * daySeconds) * 1000).toISOString().replace('.000', ''),
        evidence: 'package',
        reasons: ['flag', 'kernel'],
        packages: ['linux-base', 'linux-image-6.8.0-50-generic'],
      },
      exposure: { verdict: 'exposed', basis: 'declared', ports: [] },
      urgency: 'critical',
    });
    const age = Date.now() / 1000 - nowSeconds + 40 * daySeconds;
    expect(Math.abs((overdue?.restart.age_seconds ?? NaN) - age)).toBeLessThan(20);
    expect(documents.get('clean')).toMatchObject({
      labels: { team: 'web' },
      restart: { verdict: 'not_required', since: null, age_seconds: 0, evidence: null, reasons: [], packages: [] },
      urgency: 'none',
    });
    expect(documents.get('alpine')).toMatchObject({
      probe: { success: true },
      restart: { verdict: 'unknown', since: null, age_seconds: null, evidence: null, reasons: [], packages: [] },
      exposure: { verdict: 'not_exposed', basis: 'declared' },
      urgency: 'unknown',
    });
    expect(documents.get('silent')).toMatchObject({
      probe: { success: false, reason: 'connect', message: expect.stringContaining('refused') as string },
      restart: { verdict: 'unknown', since: null, age_seconds: null },
      urgency: 'unknown',
    });
    const ports = documents.get('evaluated')?.exposure.ports ?? [];
    expect(ports).toContainEqual(expect.objectContaining({ proto: 'tcp', port: 8080, family: 'ipv4' }));
  });

  test('tells how to add the key of a host that is not known, and it works', async () => {
    const refused = await check('stranger');
    expect(refused.code).toBe(3);
    expect(refused.stdout).toContain('host_key');
    const told = parseHostDocuments((await check('--format=json', 'stranger')).stdout);
    const message = told.get('stranger')?.probe.message ?? '';
    expect(refused.stdout).toContain(message);
    expect(message).toContain('ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub');
    const line = /add this line to (\S+): (.+)$/.exec(message);
    expect(line?.[1]).toBe(lab.knownHostsFile);
    expect(line?.[2]).toContain(lab.host('stranger').sshd.hostKeys()[0]);
    writeFileSync(lab.knownHostsFile, `${readFileSync(lab.knownHostsFile, 'utf8')}${line?.[2]}\n`);
    expect(await check('stranger')).toMatchObject({ code: 0 });
  });

  test('knows only the hosts of the inventory', async () => {
    const { code, stdout, stderr } = await check('clean', 'claen', 'nowhere');
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    expect(stderr).toMatch(/^not in the inventory of .*reboot-exporter\.yml: claen, nowhere\n$/);
  });

  test('names every fault of a configuration with its place', async () => {
    writeFileSync(join(lab.folder, 'bad.yml'), 'probe:\n  intervall: 5m\nhosts:\n  - name: a\n  - name: a\n');
    for (const command of ['check', 'check-config', 'serve']) {
      const { code, stdout, stderr } = await runBuilt(lab.folder, [command, '--config.file=bad.yml']);
      expect({ code, stdout }).toEqual({ code: command === 'check' ? 3 : 1, stdout: '' });
      expect(stderr).toMatch(/bad\.yml:2:3: unknown key `intervall`.*`interval`/);
      expect(stderr).toMatch(/bad\.yml:5:11: /);
    }
    const missing = await check('--config.file=nowhere.yml');
    expect(missing).toMatchObject({ code: 3, stdout: '' });
    expect(missing.stderr).toContain('nowhere.yml');
  });

  test('shows on a terminal how far it is, and the table in colours', async () => {
    const command = `${process.execPath} ${builtProgram} check --config.file=${join(lab.folder, 'reboot-exporter.yml')}`;
    // script(1) gives it a terminal, and passes on how it ended.
    const env = { ...process.env, TERM: 'xterm', NO_COLOR: undefined, CI: undefined };
    const shown = await runProgram(['script', '-qec', command, '/dev/null'], { env });
    expect(shown.code).toBe(2);
    expect(shown.stdout).toContain('probed 8 of 8 hosts');
    expect(shown.stdout).toMatch(/\u001b\[31mrequired/);
  });
});
