// What an evaluation costs, in one run of about a minute on a quiet machine, as root (a lab host is probed):
//   node --require ./test/lab/typescript-hook.cjs test/exposure/cost.ts
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultSsh } from '../../src/config/resolve-host';
import { evaluateExposure } from '../../src/exposure/evaluate';
import { parseExposureFacts } from '../../src/exposure/facts';
import type { ExposureVerdict } from '../../src/exposure/verdict';
import { probeHost } from '../../src/probe/probe';
import type { Sections } from '../../src/report/section';
import { SshTransport } from '../../src/ssh/ssh-transport';
import { hostOf } from '../fixture/fake-fleet';
import { ensureBuilt, projectFolder } from '../e2e/built-program';
import { exposureHosts, setUpFirewall } from '../e2e/exposure-hosts';
import { Lab } from '../lab/lab';
import { largeHosts } from './large-hosts';
import { readCases, sectionsOf } from './recorded-case';

const settings = { mode: 'evaluate', public: true, edge: null, ignore: [], dialledAddress: null } as const;

/** How often each ordinary host is evaluated, after as many rounds that do not count. */
const ROUNDS = 30;
/** Probes of the lab host, over which the client's processor time is averaged. */
const PROBES = 200;
/** The fleet for which the costs are compared. */
const FLEET = 10_000;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function evaluate(sections: Sections): ExposureVerdict {
  return evaluateExposure(parseExposureFacts(sections), settings);
}

function cpuSeconds(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1e6;
}

/** Median and 99 % over all hosts and rounds, in milliseconds. */
function ordinary(hosts: readonly Sections[]): void {
  const times: number[] = [];
  for (let round = -ROUNDS; round < ROUNDS; round += 1) {
    for (const sections of hosts) {
      const start = performance.now();
      evaluate(sections);
      if (round >= 0) times.push(performance.now() - start);
    }
  }
  times.sort((a, b) => a - b);
  const at = (share: number): string => (times[Math.floor(times.length * share)] ?? NaN).toFixed(2);
  say(`ordinary: ${hosts.length} hosts, median ${at(0.5)} ms, 99 % ${at(0.99)} ms, longest ${at(0.99999)} ms`);
}

/** The built evaluator in a process of its own, so that its memory is its own, too. Reads a report, writes what it cost. */
const program = `
const [, dist, file] = process.argv;
const { parseExposureFacts } = require(dist + '/exposure/facts.js');
const { evaluateExposure } = require(dist + '/exposure/evaluate.js');
const { evaluateOffLoop } = require(dist + '/exposure/evaluate-off-loop.js');
const settings = ${JSON.stringify(settings)};
const read = () => new Map(JSON.parse(require('node:fs').readFileSync(file, 'utf8')).map(
  ([name, status, body]) => [name, { name, status, body: Buffer.from(body) }]));
const sections = read();
global.gc();
const before = process.resourceUsage().maxRSS;
const start = performance.now();
const { verdict } = evaluateExposure(parseExposureFacts(sections), settings);
const ms = performance.now() - start;
const peakKb = process.resourceUsage().maxRSS - before;
let longestTurn = 0;
let last = performance.now();
const turns = setInterval(() => {
  longestTurn = Math.max(longestTurn, performance.now() - last - 1);
  last = performance.now();
}, 1);
evaluateOffLoop(sections, settings).then(() => {
  clearInterval(turns);
  process.stdout.write(JSON.stringify({ verdict, ms, peakKb, longestTurn }));
});
`;

function large(name: string, make: () => Sections): void {
  const sections = make();
  const bytes = [...sections.values()].reduce((total, section) => total + section.body.length, 0);
  const folder = mkdtempSync(join(tmpdir(), 'reboot-exporter-cost-'));
  try {
    const file = join(folder, 'report.json');
    const texts = [...sections.values()].map((section) => [section.name, section.status, section.body.toString()]);
    writeFileSync(file, JSON.stringify(texts));
    const argv = ['--expose-gc', '-e', program, join(projectFolder, 'dist'), file];
    const said = execFileSync(process.execPath, argv, { encoding: 'utf8' });
    const { verdict, ms, peakKb, longestTurn } = JSON.parse(said) as Record<string, number> & { verdict: string };
    say(
      `large: ${name}: ${verdict}, ${(ms ?? NaN).toFixed(0)} ms, ${((peakKb ?? NaN) / 1024).toFixed(0)} MB more at most, ` +
        `report ${(bytes / 1e6).toFixed(2)} MB; off the loop, its longest turn is ${(longestTurn ?? NaN).toFixed(0)} ms`,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The client's processor time for fresh probes that read everything, against that for evaluating what comes. */
async function against(hosts: readonly Sections[]): Promise<void> {
  const [name, docker] = [...exposureHosts].find(([key]) => key === 'docker-nft') ?? [];
  if (name === undefined || docker === undefined) throw new Error('there is no Docker host');
  const lab = await Lab.start({ hosts: [docker.spec] });
  try {
    await setUpFirewall(lab.host(name), docker);
    const { address } = lab.host(name);
    const ssh = { ...defaultSsh, user: 'root', identityFiles: [lab.identityFile], knownHosts: lab.knownHostsFile };
    const host = hostOf(name, { address, ssh: { ...ssh, sudo: 'never', connection: 'fresh' } });
    const transport = new SshTransport();
    const wish = { exposure: true, sudo: false };
    const probe = (): ReturnType<typeof probeHost> => probeHost(host, wish, transport, new AbortController().signal);
    for (let i = 0; i < 20; i += 1) await probe();
    let used = process.cpuUsage();
    for (let i = 0; i < PROBES; i += 1) await probe();
    const probing = (cpuSeconds(used) / PROBES) * FLEET;
    const all = [...hosts, (await probe()).sections];
    used = process.cpuUsage();
    for (let i = 0; i < FLEET; i += 1) evaluate(all[i % all.length] as Sections);
    const evaluating = cpuSeconds(used);
    say(
      `${FLEET} ordinary hosts: probing takes ${probing.toFixed(1)} s of the client's processor (${PROBES} fresh probes ` +
        `of a Docker host), evaluating ${evaluating.toFixed(1)} s: 1/${(probing / evaluating).toFixed(1)}`,
    );
    if (evaluating * 10 > probing) process.exitCode = 1;
  } finally {
    await lab.stop();
  }
}

async function main(): Promise<void> {
  ensureBuilt();
  say(
    `${cpus().length} cores (${cpus()[0]?.model.trim()}), load ${loadavg()[0]?.toFixed(1)}, Node ${process.versions.node}`,
  );
  // Those that random rules were recorded as are anything but ordinary.
  const cases = readCases(join(__dirname, 'cases')).filter(({ name }) => !name.startsWith('z'));
  const hosts = cases.map((recorded) => sectionsOf(recorded, 'root', 'nft.json'));
  ordinary(hosts);
  for (const [name, make] of Object.entries(largeHosts)) large(name, make);
  await against(hosts);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 1;
});
