// The soak's hosts, in a process of their own: node --require ./test/lab/typescript-hook.cjs test/soak/fleet-process.ts FOLDER SETTINGS
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { knownHostsLine, makeKeyPair } from '../lab/ssh-keys';
import { planFleet, type SoakSettings } from './plan';
import { SoakHost } from './soak-host';

async function main(): Promise<void> {
  const [folder = '', json = ''] = process.argv.slice(2);
  const settings = JSON.parse(json) as SoakSettings;
  const plans = planFleet(settings);
  const stranger = makeKeyPair('ed25519').privateKey;
  const keys = plans.map(() => makeKeyPair('ed25519'));
  const port = Number(process.argv[4]);
  writeFileSync(
    join(folder, 'known_hosts'),
    plans.map(({ address }, at) => knownHostsLine([address], port, keys[at]?.publicKey ?? '')).join(''),
  );
  const hosts = plans.map((plan, at) => new SoakHost(plan, at, keys[at]?.privateKey ?? '', stranger, settings));
  for (const host of hosts) await host.listen(port);
  const delay = monitorEventLoopDelay({ resolution: 20 });
  delay.enable();
  process.stdout.write('listening\n');
  for await (const line of createInterface({ input: process.stdin })) {
    if (line !== 'figures') continue;
    const figures = {
      answers: hosts.reduce((sum, { answers }) => sum + answers, 0),
      longestBlockSeconds: Math.max(0, delay.max / 1e9 - 0.02),
      residentBytes: process.memoryUsage.rss(),
    };
    process.stdout.write(`${JSON.stringify(figures)}\n`);
  }
  process.exit(0);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exit(1);
});
