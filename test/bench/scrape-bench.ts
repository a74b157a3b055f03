import { writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { buildGoProgram } from './go-programs';
import { LineProcess } from './line-process';
import type { BenchSetting } from './probe-benches';
import { residentBytesOf } from './processor-time';
import { comparison } from './table';

/** A family of gauges as the alternatives take it. */
export interface FamilySeries {
  readonly name: string;
  readonly help: string;
  readonly series: readonly {
    readonly host: number;
    readonly labels: Readonly<Record<string, string>>;
    readonly value: number;
  }[];
}

interface Server {
  readonly name: string;
  readonly process: LineProcess;
  readonly port: number;
}

/** A scrape after a tenth of the hosts changed, the change's own cost included. */
export async function scrapes({ folder, isQuick, say }: BenchSetting, hosts: number): Promise<string> {
  const hook = ['--require', join(__dirname, '../lab/typescript-hook.cjs')];
  const own = await started('reboot-exporter', process.execPath, [
    ...hook,
    join(__dirname, 'scrape-product.ts'),
    `${hosts}`,
  ]);
  const file = join(folder, 'series.json');
  const families = parseFamilies((await scrape(own.port)).body.toString());
  writeFileSync(file, JSON.stringify(families));
  const series = families.reduce((sum, family) => sum + family.series.length, 0);
  const servers = [
    own,
    await started('Go promhttp', buildGoProgram('promhttp', folder), [file]),
    await started('prom-client gauges', process.execPath, [...hook, join(__dirname, 'scrape-prom-client.ts'), file]),
  ];
  const processor = new Map<string, number[]>(servers.map(({ name }) => [name, []]));
  const elapsed = new Map<string, number[]>(servers.map(({ name }) => [name, []]));
  // So many changes that their code is compiled.
  const [warmRounds, rounds] = isQuick ? [1, 2] : [Math.ceil(250_000 / hosts), 15];
  const memory: string[] = [];
  try {
    for (const server of servers) await insistOnChange(server, hosts);
    for (let round = -warmRounds; round < rounds; round++) {
      for (const server of servers) {
        const before = await processorSeconds(server, 'prepare');
        await processorSeconds(server, 'change');
        const { seconds } = await scrape(server.port);
        const after = await processorSeconds(server, 'cpu');
        if (round < 0) continue;
        processor.get(server.name)?.push((after - before) * 1000);
        elapsed.get(server.name)?.push(seconds * 1000);
      }
      say(round < 0 ? 'warming up' : `round ${round + 1} of ${rounds}`);
    }
    for (const { name, process } of servers) {
      memory.push(`${name} ${(residentBytesOf(process.pid) / 1e6).toFixed(0)} MB`);
    }
  } finally {
    await Promise.all(servers.map((server) => server.process.stop()));
  }
  const rows = (figures: ReadonlyMap<string, readonly number[]>) =>
    servers.map(({ name }) => ({ name, figures: figures.get(name) ?? [] }));
  return [
    `${hosts} hosts, ${series} series. A tenth of the hosts changes, then one scrape:`,
    comparison('ms of processor', rows(processor)),
    'What the scrape alone takes, until its last byte:',
    comparison('ms', rows(elapsed)),
    `Resident memory after it: ${memory.join(', ')}`,
  ].join('\n');
}

async function started(name: string, command: string, argv: readonly string[]): Promise<Server> {
  const child = LineProcess.start(command, argv);
  return { name, process: child, port: Number((await child.read()).split(' ')[1]) };
}

/** A scrape after a change that changed nothing would be cheap. */
async function insistOnChange(server: Server, hosts: number): Promise<void> {
  const before = new Set((await scrape(server.port)).body.toString().split('\n'));
  await processorSeconds(server, 'prepare');
  await processorSeconds(server, 'change');
  const after = (await scrape(server.port)).body.toString().split('\n');
  const changed = new Set(
    after.filter((line) => !before.has(line)).flatMap((line) => /host="([^"]*)"/.exec(line)?.[1] ?? []),
  );
  if (changed.size !== Math.ceil(hosts / 10)) {
    throw new Error(`${server.name}: ${changed.size} of ${hosts} hosts changed, not a tenth`);
  }
}

async function processorSeconds({ process }: Server, line: 'prepare' | 'change' | 'cpu'): Promise<number> {
  return (JSON.parse(await process.ask(line)) as { processorSeconds: number }).processorSeconds;
}

function scrape(port: number): Promise<{ readonly body: Buffer; readonly seconds: number }> {
  const begunMs = performance.now();
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path: '/metrics' }, (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.on('end', () => resolve({ body: Buffer.concat(pieces), seconds: (performance.now() - begunMs) / 1000 }));
    }).on('error', reject);
  });
}

/** The hosts' families out of the product's own text, in which no label value has a quote. */
function parseFamilies(text: string): FamilySeries[] {
  const families = new Map<string, { name: string; help: string; series: FamilySeries['series'][number][] }>();
  let help = '';
  for (const line of text.split('\n')) {
    if (line.startsWith('# HELP ')) help = line.slice(line.indexOf(' ', 7) + 1);
    const sample = /^([a-z_]+)\{(.*)\} (\S+)$/.exec(line);
    const host = /host="host-(\d+)\./.exec(line)?.[1];
    if (sample === null || host === undefined) continue;
    const [, name = '', labelText = '', value = ''] = sample;
    const labels = Object.fromEntries(
      [...labelText.matchAll(/([a-z_]+)="([^"]*)"/g)].map((pair) => [pair[1], pair[2]]),
    );
    let family = families.get(name);
    if (family === undefined) families.set(name, (family = { name, help, series: [] }));
    family.series.push({ host: Number(host), labels, value: Number(value) });
  }
  return [...families.values()];
}
