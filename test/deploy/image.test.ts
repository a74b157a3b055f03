import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../e2e/until';
import { describeWith } from '../fixture/programs';
import { whatIsMissing } from '../lab/requirements';
import { buildah, Container, type ImageConfig } from './container';

const repository = join(__dirname, '..', '..');
const maxMegabytes = 190;

/** An exporter that probes a host which refuses: port 9 of loopback. */
const files = {
  known_hosts: '127.0.0.1 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIC\n',
  'reboot-exporter.yml': `
probe: { interval: 1s }
ssh: { user: probe, port: 9, identity_file: key, known_hosts: known_hosts }
hosts: [{ name: refusing, address: 127.0.0.1 }]
`,
};

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(folder, name)).isFile())
    .sort();
}

function describeAsRoot(title: string, body: () => void): void {
  // The lab needs all that is needed here: root, namespaces and mounts.
  const missing = whatIsMissing();
  if (missing.length > 0 && process.env['CI'] !== 'true') {
    process.stderr.write(missing.map((line) => `skipped "${title}": missing ${line}\n`).join(''));
    describe.skip(title, body);
    return;
  }
  if (missing.length > 0) throw new Error(`CI must not skip "${title}":\n${missing.join('\n')}`);
  describeWith(['buildah', 'debootstrap'], title, body);
}

describeAsRoot('the container image', () => {
  let storage: string;
  let root: string;
  let config: ImageConfig;
  let key: string;
  const containers: Container[] = [];

  beforeAll(() => {
    storage = mkdtempSync(join(tmpdir(), 'reboot-exporter-images-'));
    execFileSync('sh', [join(__dirname, 'base-image.sh'), storage], { stdio: 'pipe' });
    buildah(
      storage,
      'bud',
      '--isolation',
      'chroot',
      '--format',
      'docker',
      '--pull-never',
      '--tag',
      'reboot-exporter',
      repository,
    );
    const inspected = JSON.parse(buildah(storage, 'inspect', '--type', 'image', 'localhost/reboot-exporter')) as {
      Docker: { config: ImageConfig };
    };
    config = inspected.Docker.config;
    root = buildah(storage, 'mount', buildah(storage, 'from', '--pull-never', 'localhost/reboot-exporter'));
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(storage, 'key')]);
    key = execFileSync('cat', [join(storage, 'key')], { encoding: 'utf8' });
  }, 600_000);

  afterEach(async () => {
    for (const container of containers.splice(0)) await container.remove();
  });
  afterAll(() => {
    if (storage !== undefined) rmSync(storage, { recursive: true, force: true });
  });

  function start(options: { command?: readonly string[]; tmp?: boolean } = {}): Container {
    const container = Container.start({ root, config, files: { ...files, key }, ...options });
    containers.push(container);
    return container;
  }

  test('says how to run it: not as root, by number, so that Kubernetes can tell', () => {
    expect(config).toMatchObject({
      User: '10066:10066',
      StopSignal: 'SIGTERM',
      ExposedPorts: { '10066/tcp': {} },
      Volumes: { '/var/lib/reboot-exporter': {} },
    });
  });

  test('has the program and nothing of its tests, and no shell', () => {
    expect(readdirSync(join(root, 'app')).sort()).toEqual([
      'LICENSE',
      'dist',
      'healthcheck.js',
      'node_modules',
      'package.json',
    ]);
    const source = filesBelow(join(repository, 'src')).filter(
      (name) => name.endsWith('.ts') && !name.endsWith('.test.ts'),
    );
    expect(filesBelow(join(root, 'app/dist'))).toEqual(source.map((name) => name.replace(/ts$/, 'js')));
    for (const path of ['bin/sh', 'bin/busybox', 'usr/bin/env', 'usr/local/bin/npm', 'usr/bin/apt']) {
      expect([path, existsSync(join(root, path))]).toEqual([path, false]);
    }
    expect(existsSync(join(root, 'app/node_modules/typescript'))).toBe(false);
  });

  test(`is smaller than ${maxMegabytes} MB`, () => {
    const bytes = Number(execFileSync('du', ['-sb', root], { encoding: 'utf8' }).split('\t')[0]);
    expect(bytes).toBeGreaterThan(50e6);
    expect(bytes).toBeLessThan(maxMegabytes * 1e6);
  });

  test('runs as process 1 on a read-only file system, answers, is healthy, and ends by SIGTERM with 0', async () => {
    const container = start();
    await container.says('msg="Started reboot-exporter"');
    expect(container.status('NSpid').split(/\s+/).at(-1)).toBe('1');
    expect(container.status('Uid')).toBe('10066\t10066\t10066\t10066');
    expect(container.status('CapEff')).toBe('0000000000000000');
    expect(container.status('NoNewPrivs')).toBe('1');
    await until(20, async () => {
      const metrics = await container.fetch('http://127.0.0.1:10066/metrics');
      expect(metrics).toContain('\nreboot_probe_success{host="refusing",stack="default"} 0\n');
      expect(metrics).toContain(
        'reboot_probe_failing_reason_info{host="refusing",stack="default",reason="connect"} 1\n',
      );
      expect(metrics).toContain('\nreboot_exporter_state_save_failures_total 0\n');
    });
    await expect(container.health()).resolves.toBe(0);
    await expect(container.end('SIGTERM')).resolves.toBe(0);
    expect(container.log).toContain('msg=Stopping signal=SIGTERM');
  }, 120_000);

  test('is unhealthy when it does not answer', async () => {
    const container = start({ command: [...config.Cmd, '--web.listen-address=127.0.0.1:10067'] });
    await container.says('msg="Started reboot-exporter"');
    await expect(container.health()).resolves.toBe(1);
  }, 120_000);

  test('probes real SSH servers and evaluates their firewalls with what is in it', async () => {
    const container = start({ command: ['demo'], tmp: true });
    await container.says('Twelve simulated hosts are up');
    await until(60, async () => {
      const metrics = await container.fetch('http://127.0.0.1:10066/metrics');
      expect(metrics).toMatch(/\nreboot_required\{host="web-1",[^}]*\} 1\n/);
      expect(metrics).toMatch(/\nexposed_to_anywhere_basis_info\{host="web-1",stack="shop",basis="proven"\} 1\n/);
    });
    await expect(container.end('SIGTERM')).resolves.toBe(0);
  }, 120_000);
});
