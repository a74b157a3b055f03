// Every benchmark runs its alternatives side by side in one run: `npm run bench`, or `npm run bench -- fresh latency`.
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureBuilt } from '../e2e/built-program';
import { freshProbes, keptProbes, latency, type BenchSetting } from './probe-benches';
import { scrapes } from './scrape-bench';
import { sweeps } from './sweep-bench';

const benches: Readonly<Record<string, { readonly title: string; run(setting: BenchSetting): Promise<string> }>> = {
  fresh: { title: 'Client processor time of a probe over a fresh connection, canned server', run: freshProbes },
  kept: { title: 'Client processor time of a probe over a kept connection, real sshd and program', run: keptProbes },
  latency: { title: 'One fresh probe at a time, canned server', run: latency },
  scrape: { title: 'A scrape of 10,000 hosts', run: (setting) => scrapes(setting, 10_000) },
  sweep: { title: 'A fleet on a one-minute schedule', run: sweeps },
  'large-scrape': { title: 'A scrape of 50,000 hosts', run: (setting) => scrapes(setting, 50_000) },
};

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function numberOf(words: readonly string[], name: string, otherwise: number): number {
  const written = words.find((word) => word.startsWith(`--${name}=`))?.slice(name.length + 3);
  const number = Number(written ?? otherwise);
  if (!Number.isInteger(number) || number < 1) throw new Error(`--${name}=${written ?? ''} is not a count`);
  return number;
}

async function main(): Promise<void> {
  const words = process.argv.slice(2);
  const isQuick = words.includes('--quick');
  const minutes = numberOf(words, 'minutes', 3);
  const hosts = numberOf(words, 'hosts', isQuick ? 1000 : 10_000);
  const names = words.filter((word) => !word.startsWith('--'));
  for (const name of names) {
    if (benches[name] === undefined) throw new Error(`${name} is not one of ${Object.keys(benches).join(', ')}`);
  }
  ensureBuilt();
  for (const name of names.length > 0 ? names : Object.keys(benches)) {
    const bench = benches[name];
    if (bench === undefined) continue;
    const folder = mkdtempSync(join(tmpdir(), 'reboot-exporter-bench-'));
    try {
      say(`\n## ${bench.title}`);
      const table = await bench.run({
        folder,
        isQuick,
        minutes,
        hosts,
        say: (line) => process.stderr.write(`${name}: ${line}\n`),
      });
      say(table);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  const load = loadavg()[0]?.toFixed(1);
  say(
    `\n${cpus().length} cores, load ${load}, Node.js ${process.versions.node}${isQuick ? ', quick: not to be trusted' : ''}`,
  );
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 1;
});
