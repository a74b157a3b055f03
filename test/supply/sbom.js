'use strict';
// The software bill of materials, CycloneDX as npm makes it, of what runs: `npm run sbom >sbom.json`, at each release.
// npm's own --omit=dev (11.19) leaves out packages that a tool of the tests uses as well, so what runs is picked from all.
const { execFileSync } = require('node:child_process');
const { readFileSync } = require('node:fs');
const { join } = require('node:path');

const root = join(process.argv[1] ?? '', '../../..');
const argv = ['sbom', '--sbom-format=cyclonedx', '--sbom-type=application', '--package-lock-only', '--loglevel=error'];
const bom = JSON.parse(execFileSync('npm', argv, { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 }));
const { name, packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));

const running = new Set();
for (const [path, { version, dev }] of Object.entries(packages)) {
  if (path !== '' && dev !== true) running.add(`${path.slice(path.lastIndexOf('node_modules/') + 13)}@${version}`);
}
const runs = (ref) => running.has(ref) || ref === bom.metadata.component['bom-ref'];
// npm names the whole after the folder that it is in.
bom.metadata.component.name = name;
bom.components = bom.components
  .filter(({ 'bom-ref': ref }) => runs(ref))
  .map((component) => ({
    ...component,
    properties: (component.properties ?? []).filter(({ name: key }) => key !== 'cdx:npm:package:development'),
  }));
bom.dependencies = bom.dependencies
  .filter(({ ref }) => runs(ref))
  .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter(runs) }));
process.stdout.write(`${JSON.stringify(bom, null, 2)}\n`);
