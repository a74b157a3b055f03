import type { HostDocument } from '../document/host-document';
import { formatAge } from './age';

/** Everything about each host that was named: why, since when, every port, and what to do if it did not answer. */
export function renderDetails(documents: readonly HostDocument[]): string {
  return documents.map((document) => `\n${details(document).join('\n')}\n`).join('');
}

function details(document: HostDocument): string[] {
  const { probe, restart, exposure } = document;
  const lines = [`${document.host} (stack ${document.stack})`];
  if (probe.success === false) return [...lines, `  not probed: ${probe.reason}: ${probe.message}`];
  lines.push(`  restart: ${restart.verdict.replace('_', ' ')}, urgency ${document.urgency}`);
  if (restart.since !== null) {
    lines.push(
      `    since ${restart.since}, ${formatAge(restart.age_seconds ?? 0)} ago by the host's clock (evidence: ${restart.evidence})`,
    );
  }
  if (restart.booted_at !== null) lines.push(`    booted ${restart.booted_at}`);
  if (restart.scheduled_at !== null) lines.push(`    a shutdown is scheduled for ${restart.scheduled_at}`);
  if (restart.livepatch !== null) {
    const { patches, covered_until: until, covering } = restart.livepatch;
    const span = until === null ? 'until when is not known' : `patches are made until ${until}`;
    lines.push(`    live patched${covering ? ', which covers it' : ''}: ${patches.join(', ')}; ${span}`);
  }
  const { by_itself: own } = restart;
  if (own !== null && own.by !== 'shutdown') {
    const when = own.at === null ? 'it is not known when' : `expected at ${own.at}`;
    lines.push(`    restarts by itself, by ${own.by}, ${when}: ${own.because}`);
  }
  for (const { signal, says, because } of restart.signals)
    lines.push(`    ${signal}: ${says.replace('_', ' ')}: ${because}`);
  if (restart.packages.length > 0)
    lines.push(`    packages: ${restart.packages.slice(0, 20).join(', ')}${restart.packages.length > 20 ? ', …' : ''}`);
  lines.push(`  automatic updates: ${automaticUpdates(document.updates)}`);
  const outdated = document.outdated_services ?? [];
  if (outdated.length > 0) {
    const names = outdated.slice(0, 10).map(({ service, libraries }) => `${service} (${libraries.join(', ')})`);
    lines.push(`  services that run replaced libraries: ${names.join(', ')}${outdated.length > 10 ? ', …' : ''}`);
  }
  lines.push(`  exposed to anywhere: ${exposure.verdict.replace('_', ' ')} (${exposure.basis ?? 'not evaluated'})`);
  if (exposure.because !== '') lines.push(`    ${exposure.because}`);
  for (const port of exposure.ports) {
    const ignored = port.ignored ? ', ignored' : '';
    lines.push(`    ${port.proto}/${port.port} ${port.family}${ignored}: ${port.because}`);
  }
  return lines;
}

function automaticUpdates({ automatic, by, last_run_at: ranAt }: HostDocument['updates']): string {
  if (automatic === null) return 'unknown';
  if (!automatic) return by === null ? 'none' : `${by} is switched off`;
  return `${by}${ranAt === null ? '' : `, last run ${ranAt}`}`;
}
