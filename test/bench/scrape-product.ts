// The product's metrics of a fleet behind its own web side. For each line "change" on standard input a tenth of the hosts gets the
// state that the line "prepare" made; after each line it prints its processor seconds.
import { settleKnown } from '../../src/fleet/known';
import { Sharing } from '../../src/fleet/sharing';
import { newStatus, type HostStatus } from '../../src/fleet/status';
import { createExporterMetrics } from '../../src/metrics/exporter-metrics';
import { createExposition } from '../../src/metrics/exposition';
import { FleetText } from '../../src/metrics/fleet-text';
import { systemTime } from '../../src/time/time';
import { startWebSide } from '../../src/web/web-side';
import { openSettings } from '../../src/web/settings/settings';
import { fixtureMonotonicMs, sketchBackend } from '../web/fleet-fixture';
import { serveChanges } from './change-rounds';
import { changes, fleetStatus, generationIn } from './scrape-fleet';

async function main(): Promise<void> {
  const hosts = Number(process.argv[2]);
  const text = new FleetText(() => 1e9);
  const time = { ...systemTime, monotonicMs: () => fixtureMonotonicMs };
  const statuses = Array.from({ length: hosts }, (_, at) => fleetStatus(at, 0));
  for (const status of statuses) text.update(status.host.name, status, fixtureMonotonicMs);
  const sharing = new Sharing();
  const exposition = createExposition({
    time,
    fleet: text,
    exporter: createExporterMetrics(),
    stacks: () => new Map(),
  });
  const web = await startWebSide([{ host: '127.0.0.1', port: 0 }], sketchBackend({ exposition }), {
    current: () => openSettings,
  });
  process.stdout.write(`listening ${new URL(web.urls[0] ?? '').port}\n`);
  let changed: readonly HostStatus[] = [];
  await serveChanges({
    // As after a probe of each of them; what that costs is part of a probe.
    prepare(round) {
      const places = [...statuses.keys()].filter((at) => changes(at, round));
      changed = places.map((at) => {
        const { host, attempt, known } = fleetStatus(at, generationIn(round));
        const before = statuses[at];
        const settled = known === null ? null : settleKnown(before?.known ?? null, known, sharing);
        return (statuses[at] = { ...(before ?? newStatus(host)), attempt, known: settled });
      });
    },
    change() {
      for (const status of changed) text.update(status.host.name, status, fixtureMonotonicMs);
    },
  });
}

void main();
