import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureBuilt } from '../e2e/built-program';
import { ExporterProcess } from '../e2e/exporter-process';
import { SimulatedFleet } from '../e2e/simulated-fleet';
import { licencesPage, runtimePackages } from './licences';

const root = join(__dirname, '../..');
const packages = runtimePackages();

/** Licences under which a package may be used and given on with a program under Apache-2.0, without a condition beyond its notice. */
const allowed = new Set([
  'MIT',
  'ISC',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'Apache-2.0',
  '0BSD',
  'Unlicense',
  'BlueOak-1.0.0',
]);

describe('what the exporter is made of', () => {
  test('has licences that are allowed, every one', () => {
    expect(packages.length).toBeGreaterThan(50);
    expect(packages.filter(({ licence }) => !allowed.has(licence))).toEqual([]);
  });

  test('is listed with its licences', () => {
    const file = join(root, 'docs/third-party-licences.md');
    const page = licencesPage(packages);
    if (process.env['UPDATE_GENERATED'] === '1') writeFileSync(file, page);
    expect(readFileSync(file, 'utf8')).toBe(page);
  });

  test('is installed without install scripts, by the tests and in the image', () => {
    expect(packages.filter(({ hasInstallScript }) => hasInstallScript).map(({ name }) => name)).toEqual([
      'cpu-features',
      'ssh2',
    ]);
    for (const file of ['test/ready.sh', 'Dockerfile']) {
      const installs = readFileSync(join(root, file), 'utf8').match(/npm (?:ci|install).*/g) ?? [];
      expect(installs.length).toBeGreaterThan(0);
      for (const line of installs) expect(line).toContain('--ignore-scripts');
    }
  });

  test('works without what install scripts would build', async () => {
    ensureBuilt();
    const fleet = await SimulatedFleet.start(['web-1']);
    const configFile = fleet.writeConfig({ interval: '1s', timeout: '5s' });
    const under = ['env', `NODE_OPTIONS=--require=${join(__dirname, 'without-native.cjs')}`];
    const exporter = await ExporterProcess.start({ configFile, stateFile: join(fleet.folder, 'state.json'), under });
    try {
      const answer = await fetch(`${exporter.url}/probe?target=web-1`);
      expect(await answer.text()).toMatch(/^probe_success 1$/m);
    } finally {
      await exporter.kill();
      await fleet.stop();
    }
  });

  test('is pinned: exact versions, each with the checksum of what the registry gave', () => {
    const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
      packages: Record<
        string,
        { resolved?: string; integrity?: string; dev?: boolean; dependencies?: Record<string, string> }
      >;
    };
    for (const version of Object.values(lock.packages['']?.dependencies ?? {}))
      expect(version).toMatch(/^\d+\.\d+\.\d+$/);
    for (const [path, { resolved, integrity, dev }] of Object.entries(lock.packages)) {
      if (path === '' || dev === true) continue;
      // Left out of the lock file: it comes from whichever registry npm is set to, and has this checksum.
      expect(resolved).toBeUndefined();
      expect(integrity).toMatch(/^sha512-/);
    }
  });

  test('can be told to a machine: `npm run sbom` names every package with version, licence and checksum', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    const said = execFileSync('sh', ['-c', scripts['sbom'] ?? 'false'], { cwd: root, encoding: 'utf8', stdio: 'pipe' });
    const bom = JSON.parse(said) as {
      bomFormat: string;
      components: { name: string; group?: string; version: string; purl: string; hashes?: unknown[] }[];
    };
    expect(bom.bomFormat).toBe('CycloneDX');
    const told = bom.components.map(({ purl }) => decodeURIComponent(purl)).sort();
    expect(told).toEqual([...new Set(packages.map(({ name, version }) => `pkg:npm/${name}@${version}`))].sort());
    for (const { hashes } of bom.components) expect(hashes).not.toHaveLength(0);
  });

  test('is packed without tests, sources or what only the compiler reads', () => {
    const said = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts', '--loglevel=error'], {
      cwd: root,
      encoding: 'utf8',
      stdio: 'pipe',
    });
    const [packed] = JSON.parse(said) as { files: { path: string }[] }[];
    const paths = packed?.files.map(({ path }) => path) ?? [];
    expect(paths).toEqual(expect.arrayContaining(['dist/main.js', 'LICENSE', 'README.md', 'package.json']));
    expect(paths.filter((path) => /\.test\.|^src\/|^test\/|tsbuildinfo|^\.|secrets\//.test(path))).toEqual([
      ...paths.filter((path) => path.startsWith('deploy/secrets/')),
    ]);
  });
});
