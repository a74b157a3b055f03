import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { formatFault } from '../../src/config/fault';
import { loadConfig } from '../../src/config/load';
import { run, describeWith } from '../alerts/programs';
import { describeWith as describeWithProgram } from '../fixture/programs';
import { at, deploy, documents, list, ofKind, repository, scratchFolder, text, type Mapping } from './manifests';

const scratch: string[] = [];
afterAll(() => scratch.forEach((folder) => rmSync(folder, { recursive: true, force: true })));
function folder(): string {
  scratch.push(scratchFolder());
  return scratch.at(-1) ?? '';
}

const commandLine = readFileSync(join(repository, 'src/command/command-line.ts'), 'utf8');
/** Every flag is one of the program's. */
function expectFlags(args: readonly string[]): void {
  expect(args.length).toBeGreaterThan(0);
  for (const arg of args) {
    const flag = /^--([\w.-]+)(?:=|$)/.exec(arg)?.[1];
    if (flag !== undefined)
      expect([arg, commandLine.includes(`--${flag} <`) || commandLine.includes(`--${flag}'`)]).toEqual([arg, true]);
  }
}

/** Loads a configuration after its key and token were put into a scratch folder, with these files beside it. */
async function expectValid(config: string, files: Readonly<Record<string, string>>): Promise<void> {
  const place = folder();
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(place, 'key')]);
  writeFileSync(join(place, 'token'), 'secret\n', { mode: 0o600 });
  for (const [name, content] of Object.entries(files)) writeFileSync(join(place, name), content);
  const moved = config
    .replace(/identity_file: \S+/, `identity_file: ${join(place, 'key')}`)
    .replace(/refresh_token_file: \S+/, `refresh_token_file: ${join(place, 'token')}`)
    .replace('targets/*.yml', 'targets.yml');
  const file = join(place, 'reboot-exporter.yml');
  writeFileSync(file, moved);
  const result = await loadConfig(file);
  expect(result.ok ? [] : result.faults.map(formatFault)).toEqual([]);
  expect(result.ok ? result.config.hosts.length : 0).toBeGreaterThan(0);
}

describe('compose.yaml', () => {
  const compose = documents('compose.yaml')[0] ?? {};
  const services = at(compose, 'services') as Record<string, Mapping>;

  test('every service is read-only, has no capability and can gain none, and is of one version', () => {
    expect(Object.keys(services).sort()).toEqual(['alertmanager', 'grafana', 'prometheus', 'reboot-exporter']);
    for (const service of Object.values(services)) {
      expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] });
      expect(text(service['image'])).toMatch(/:v?\d+\.\d+\.\d+$/);
      for (const port of list(service['ports'])) expect(port).toMatch(/^127\.0\.0\.1:(\d+):\1$/);
    }
  });

  test('what is mounted is there, or is a volume or secret that is declared', () => {
    const volumes = Object.keys(at(compose, 'volumes') as Mapping);
    const secrets = Object.keys(at(compose, 'secrets') as Mapping);
    for (const service of Object.values(services)) {
      for (const mount of list(service['volumes'])) {
        const [source = '', target = '', mode] = text(mount).split(':');
        expect(target).toMatch(/^\//);
        if (!source.startsWith('.')) expect(volumes).toContain(source);
        else expect([source, existsSync(join(deploy, source)), mode]).toEqual([source, true, 'ro']);
      }
      for (const secret of (service['secrets'] as string[] | undefined) ?? []) expect(secrets).toContain(secret);
    }
  });

  test('services find each other', () => {
    const names = Object.keys(services);
    const prometheus = documents('prometheus/prometheus.yml')[0];
    const addresses = [
      text(at(prometheus, 'scrape_configs', 0, 'static_configs', 0, 'targets', 0)),
      text(at(prometheus, 'alerting', 'alertmanagers', 0, 'static_configs', 0, 'targets', 0)),
      new URL(text(at(documents('grafana/datasources/prometheus.yaml')[0], 'datasources', 0, 'url'))).host,
    ];
    for (const address of addresses) {
      const [name = '', port = ''] = address.split(':');
      expect(names).toContain(name);
      expect(list(services[name]?.['ports']).map(text)).toContain(`127.0.0.1:${port}:${port}`);
    }
  });

  test('Grafana finds the dashboards', () => {
    const path = text(at(documents('grafana/dashboards/reboot-exporter.yaml')[0], 'providers', 0, 'options', 'path'));
    const mounts = list(services['grafana']?.['volumes']).map(text);
    for (const name of ['fleet', 'server'])
      expect(mounts).toContain(`../dashboards/${name}.json:${path}/${name}.json:ro`);
    expect(at(services['grafana'], 'environment', 'GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH')).toBe(
      `${path}/fleet.json`,
    );
  });

  test('the configuration that is mounted is valid', async () => {
    const files = {
      'targets.yml': readFileSync(join(deploy, 'exporter/targets/example.yml'), 'utf8'),
      known_hosts: '',
    };
    await expectValid(readFileSync(join(deploy, 'exporter/reboot-exporter.yml'), 'utf8'), files);
  });
});

describeWith(['promtool', 'amtool'], 'the configurations of Prometheus and Alertmanager', () => {
  /** A copy of deploy/prometheus in which the rules are where this machine has them. */
  function copied(): string {
    const place = folder();
    cpSync(join(deploy, 'prometheus'), place, { recursive: true });
    for (const name of ['prometheus.yml', 'prometheus-probe.yml']) {
      const config = readFileSync(join(place, name), 'utf8');
      expect(config).toContain('/etc/reboot-exporter/*.rules.yml');
      writeFileSync(join(place, name), config.replace('/etc/reboot-exporter', join(repository, 'alerts')));
    }
    return place;
  }

  test.each(['prometheus.yml', 'prometheus-probe.yml'])('promtool accepts %s and finds its rules', (name) => {
    const said = run('promtool', ['check', 'config', join(copied(), name)]);
    expect(said).toMatch(/1 rule files found/);
    expect(said).toMatch(/SUCCESS: \d\d+ rules found/);
  });

  test('amtool accepts what is mounted for Alertmanager', () => {
    expect(run('amtool', ['check-config', join(repository, 'alerts/alertmanager.yml')])).toContain('SUCCESS');
  });

  /** Where Prometheus would scrape which target: `[target, address]`. */
  function scraped(config: string, job: string): [string, string][] {
    const said = run('promtool', ['check', 'service-discovery', '--timeout=2s', config, job], {
      maxBuffer: 64 * 2 ** 20,
    });
    const found = JSON.parse(said.slice(said.indexOf('['))) as { labels: Record<string, string> }[];
    return found.map(({ labels }) => [labels['__param_target'] ?? '', labels['__address__'] ?? '']);
  }

  test('prometheus-probe.yml asks the exporters for hosts by the names that they know them by', () => {
    const place = copied();
    const found = scraped(join(place, 'prometheus-probe.yml'), 'reboot-probe');
    expect(found.map(([target]) => target).sort()).toEqual([
      '2001:db8::10',
      '2001:db8::11',
      'api-1',
      'web-1.example.com',
      'web-2.example.com',
    ]);
  });

  test('prometheus-probe.yml gives each of 300 hosts to one of the three exporters, about as many each', () => {
    const place = copied();
    const targets = Array.from({ length: 300 }, (_, index) => `host-${index}.example.com:2222`);
    writeFileSync(join(place, 'targets/example.yml'), stringify([{ targets }]));
    const found = scraped(join(place, 'prometheus-probe.yml'), 'reboot-probe');
    expect(new Set(found.map(([target]) => target)).size).toBe(300);
    const exporters = list(
      at(documents('prometheus/prometheus-probe.yml')[0], 'scrape_configs', 1, 'static_configs', 0, 'targets'),
    );
    for (const exporter of exporters) {
      const share = found.filter(([, address]) => address === exporter).length;
      expect(share).toBeGreaterThan(70);
      expect(share).toBeLessThan(130);
    }
    expect(found.every(([, address]) => exporters.includes(address))).toBe(true);
  });

  test('docs/sharding.md has its rules, and those for a fourth exporter, which takes a quarter of 2,000 hosts and moves no others', () => {
    const example = documents('prometheus/prometheus-probe.yml')[0];
    const rules = list(at(example, 'scrape_configs', 0, 'relabel_configs'));
    const page = readFileSync(join(repository, 'docs/sharding.md'), 'utf8');
    const blocks = [...page.matchAll(/^```yaml\n(- .*?)^```$/gms)].map(([, block = '']) => list(parse(block)));
    const [three = [], four = []] = blocks;
    expect(blocks).toHaveLength(2);
    expect(rules.slice(-three.length)).toEqual(three);

    const targets = Array.from({ length: 2000 }, (_, index) => `host-${index}.example.com:2222`);
    /** Which exporter each host falls to. */
    const owners = (config: Mapping): Map<string, string> => {
      const file = join(folder(), 'prometheus.yml');
      writeFileSync(file, stringify(config));
      return new Map(scraped(file, 'reboot-probe'));
    };
    const job = { job_name: 'reboot-probe', static_configs: [{ targets }] };
    const common = rules.slice(0, -three.length);
    const before = owners({ scrape_configs: [{ ...job, relabel_configs: [...common, ...three] }] });
    const after = owners({ scrape_configs: [{ ...job, relabel_configs: [...common, ...four] }] });
    const moved = [...before].filter(([target, address]) => after.get(target) !== address);
    expect([before.size, after.size]).toEqual([2000, 2000]);
    // 500, give or take five standard deviations (19 each).
    expect(Math.abs(moved.length - 500)).toBeLessThan(97);
    expect(new Set(moved.map(([target]) => after.get(target)))).toEqual(new Set(['reboot-exporter-3:10066']));
    expect(new Set(moved.map(([, address]) => address)).size).toBe(3);
  });

  test('the Probe for Kubernetes does so too, to pods that there are', () => {
    const probe = ofKind('kubernetes/sharded.yaml', 'Probe');
    const set = ofKind('kubernetes/sharded.yaml', 'StatefulSet');
    const service = ofKind('kubernetes/sharded.yaml', 'Service');
    const snake = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    const own = list(at(probe, 'spec', 'targets', 'staticConfig', 'relabelingConfigs')).map((rule) =>
      Object.fromEntries(Object.entries(rule as Mapping).map(([name, value]) => [snake(name), value])),
    );
    // What the operator puts before them: pkg/prometheus/promcfg.go, generateProbeConfig.
    const operators = [
      { source_labels: ['__address__'], target_label: '__param_target' },
      { source_labels: ['__param_target'], target_label: 'instance' },
      { target_label: '__address__', replacement: at(probe, 'spec', 'prober', 'url') },
    ];
    const targets = Array.from({ length: 300 }, (_, index) => `host-${index}.example.com`);
    const place = folder();
    const config = join(place, 'prometheus.yml');
    const job = { job_name: 'probe', static_configs: [{ targets }], relabel_configs: [...operators, ...own] };
    writeFileSync(config, stringify({ scrape_configs: [job] }));
    const pods = Array.from(
      { length: at(set, 'spec', 'replicas') as number },
      (_, index) =>
        `${text(at(set, 'metadata', 'name'))}-${index}.${text(at(service, 'metadata', 'name'))}.monitoring.svc:10066`,
    );
    const found = scraped(config, 'probe');
    expect(new Set(found.map(([, address]) => address))).toEqual(new Set(pods));
    expect(pods).toContain(at(probe, 'spec', 'prober', 'url'));
  });
});

describe.each(['exporter.yaml', 'sharded.yaml'])('kubernetes/%s', (name) => {
  const file = `kubernetes/${name}`;
  const workload = documents(file).find(({ kind }) => kind === 'Deployment' || kind === 'StatefulSet') ?? {};
  const pod = (): unknown => at(workload, 'spec', 'template', 'spec');
  const container = (): unknown => at(pod(), 'containers', 0);

  test('runs the image as it wants to be run', () => {
    expect(pod()).toMatchObject({
      automountServiceAccountToken: false,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 10066,
        runAsGroup: 10066,
        seccompProfile: { type: 'RuntimeDefault' },
      },
    });
    expect(at(container(), 'securityContext')).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expectFlags(list(at(container(), 'args')).map(text));
    expect(at(container(), 'ports', 0, 'containerPort')).toBe(10066);
  });

  test('everything that is named is there', () => {
    const mounts = list(at(container(), 'volumeMounts')).map((mount) => at(mount, 'name'));
    const volumes = list(at(pod(), 'volumes')).map((volume) => at(volume, 'name'));
    const claims = ((at(workload, 'spec') as Mapping)['volumeClaimTemplates'] as unknown[] | undefined) ?? [];
    expect(mounts.sort()).toEqual([...volumes, ...claims.map((claim) => at(claim, 'metadata', 'name'))].sort());
    const selector = at(workload, 'spec', 'selector', 'matchLabels');
    expect(at(workload, 'spec', 'template', 'metadata', 'labels')).toEqual(selector);
    const service = ofKind(file, 'Service');
    expect(at(service, 'spec', 'selector')).toEqual(selector);
    const monitor = ofKind(file, 'ServiceMonitor');
    expect(at(service, 'metadata', 'labels')).toEqual(at(monitor, 'spec', 'selector', 'matchLabels'));
    expect(at(monitor, 'spec', 'endpoints', 0)).toMatchObject({
      port: at(service, 'spec', 'ports', 0, 'name'),
      honorLabels: true,
    });
    const configMap = at(ofKind(file, 'ConfigMap'), 'metadata', 'name');
    expect(list(at(pod(), 'volumes'))).toContainEqual({ name: 'config', configMap: { name: configMap } });
    expect(documents(file).map((document) => at(document, 'metadata', 'namespace'))).toEqual(
      documents(file).map(() => 'monitoring'),
    );
  });

  test('its configuration is valid, and reads secrets from where they are mounted', async () => {
    const data = at(ofKind(file, 'ConfigMap'), 'data') as Record<string, string>;
    const config = data['reboot-exporter.yml'] ?? '';
    for (const [, path = ''] of config.matchAll(/(?:identity|refresh_token)_file: (\S+)/g)) {
      expect(path).toMatch(/^\/etc\/reboot-exporter-secrets\/(ssh-key|refresh-token)$/);
    }
    await expectValid(config, data);
  });
});

describeWithProgram(['systemd-analyze'], 'the systemd unit', () => {
  const unit = join(deploy, 'systemd/reboot-exporter.service');
  const lines = readFileSync(unit, 'utf8').split('\n');

  test('is exposed by 2.0 at most, as systemd counts', () => {
    const said = execFileSync('systemd-analyze', ['security', '--offline=true', '--threshold=20', '--no-pager', unit], {
      encoding: 'utf8',
    });
    expect(Number(/Overall exposure level for \S+: ([\d.]+) OK/.exec(said)?.[1])).toBeLessThanOrEqual(2);
  });

  test('is understood by systemd', () => {
    const place = folder();
    const copy = join(place, 'reboot-exporter.service');
    writeFileSync(copy, readFileSync(unit, 'utf8').replace('/usr/bin/node', process.execPath));
    const said = execFileSync('sh', ['-c', 'systemd-analyze verify --man=no "$1" 2>&1', 'sh', copy], {
      encoding: 'utf8',
    });
    expect(said.split('\n').filter((line) => line.includes('reboot-exporter.service'))).toEqual([]);
  });

  test('starts the program with flags that it has, and keeps state where it may', () => {
    const start = lines.find((line) => line.startsWith('ExecStart='))?.split(' ') ?? [];
    expectFlags(start);
    expect(start).toContain('--state.file=/var/lib/reboot-exporter/state.json');
    for (const line of ['StateDirectory=reboot-exporter', 'DynamicUser=yes', 'ExecReload=/bin/kill -HUP $MAINPID'])
      expect(lines).toContain(line);
    expect(lines.filter((line) => line.startsWith('LoadCredential='))).toHaveLength(1);
  });
});
