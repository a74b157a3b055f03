// What an evaluation costs, in one run of about two minutes, as root (a lab host is probed):
//   node --require ./test/lab/typescript-hook.cjs test/exposure/cost.ts
import { execFileSync } from 'node:child_process';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { evaluateExposure } from '../../src/exposure/evaluate';
import { evaluateOffLoop } from '../../src/exposure/evaluate-off-loop';
import { parseExposureFacts } from '../../src/exposure/facts';
import type { ExposureVerdict } from '../../src/exposure/verdict';
import { probeHost } from '../../src/probe/probe';
import type { Sections } from '../../src/report/section';
import { SshTransport } from '../../src/ssh/ssh-transport';
import { hostOf } from '../fixture/fake-fleet';
import { exposureHosts, setUpFirewall } from '../e2e/exposure-hosts';
import { Lab } from '../lab/lab';
import { labUser } from '../lab/skeleton';
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

/** Runs in a process of its own, so that its memory is its own, too. */
async function large(name: string): Promise<void> {
  const sections = largeHosts[name]?.();
  if (sections === undefined) throw new Error(`no such host: ${name}`);
  const bytes = [...sections.values()].reduce((total, section) => total + section.body.length, 0);
  const before = process.resourceUsage().maxRSS;
  const start = performance.now();
  const { verdict } = evaluate(sections);
  const ms = performance.now() - start;
  const peak = (process.resourceUsage().maxRSS - before) / 1024;
  let longestTurn = 0;
  let last = performance.now();
  const turns = setInterval(() => {
    longestTurn = Math.max(longestTurn, performance.now() - last - 1);
    last = performance.now();
  }, 1);
  await evaluateOffLoop(sections, settings);
  clearInterval(turns);
  say(
    `large: ${name}: ${verdict}, ${ms.toFixed(0)} ms for the first time, ${peak.toFixed(0)} MB at most, ` +
      `report ${(bytes / 1e6).toFixed(2)} MB; off the event loop its longest turn is ${longestTurn.toFixed(0)} ms`,
  );
}

/** The client's processor time for fresh probes that read everything, against that for evaluating what comes. */
async function against(hosts: readonly Sections[]): Promise<void> {
  const [name, docker] = [...exposureHosts].find(([key]) => key === 'docker-nft') ?? [];
  if (name === undefined || docker === undefined) throw new Error('there is no Docker host');
  const lab = await Lab.start({ hosts: [docker.spec] });
  try {
    await setUpFirewall(lab.host(name), docker);
    const { address } = lab.host(name);
    const ssh = { user: 'root', port: 22, identityFiles: [lab.identityFile], knownHosts: lab.knownHostsFile };
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
        `as ${labUser === host.ssh.user ? labUser : 'root'}, by OpenSSH's server), evaluating ${evaluating.toFixed(1)} s: ` +
        `1/${(probing / evaluating).toFixed(1)}`,
    );
    if (evaluating * 10 > probing) process.exitCode = 1;
  } finally {
    await lab.stop();
  }
}

async function main(): Promise<void> {
  const one = process.argv.indexOf('--one');
  if (one >= 0) return large(process.argv[one + 1] ?? '');
  say(`${cpus().length} cores (${cpus()[0]?.model.trim()}), Node ${process.versions.node}`);
  const cases = readCases(join(__dirname, 'cases'));
  const hosts = cases.map((recorded) => sectionsOf(recorded, 'root', 'nft.json'));
  ordinary(hosts);
  const argv = ['--require', join(__dirname, '..', 'lab', 'typescript-hook.cjs'), __filename, '--one'];
  for (const name of Object.keys(largeHosts)) {
    process.stdout.write(execFileSync(process.execPath, [...argv, name]));
  }
  await against(hosts);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 1;
});
