// The same series as gauges of prom-client, one gauge a family; speaks as the others.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Gauge, Registry } from 'prom-client';
import { serveChanges } from './change-rounds';
import type { FamilySeries } from './scrape-bench';
import { changes } from './scrape-fleet';

async function main(): Promise<void> {
  const families = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as FamilySeries[];
  const registry = new Registry();
  const gauges = families.map(({ name, help, series }) => {
    const gauge = new Gauge({ name, help, labelNames: Object.keys(series[0]?.labels ?? {}), registers: [registry] });
    for (const { labels, value } of series) gauge.set(labels, value);
    return gauge;
  });
  const server = createServer((_request, response) => {
    void registry.metrics().then((text) => response.setHeader('Content-Type', registry.contentType).end(text));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  process.stdout.write(`listening ${(server.address() as AddressInfo).port}\n`);
  await serveChanges({
    change(round) {
      for (const [at, { series }] of families.entries()) {
        for (const { host, labels, value } of series) {
          if (changes(host, round)) gauges[at]?.set(labels, value + round + 1);
        }
      }
    },
  });
}

void main();
