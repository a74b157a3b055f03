import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { probeInput } from '../../src/probe/program';
import type { CannedFleet, Login } from './canned-fleet';
import type { Contestant, Round } from './contest';
import { buildGoProgram } from './go-programs';
import { LineProcess } from './line-process';
import { processorSecondsOf } from './processor-time';
import { stopped } from '../ssh/real-sshd';

/** The same for everyone: OpenSSH's own first choice would cost it 100 ms a handshake, and ssh2 can't do it. */
const keyExchange = 'ecdh-sha2-nistp256';
const cipher = 'aes128-gcm@openssh.com';

export interface LoadSettings {
  readonly folder: string;
  readonly fleet: Login & Pick<CannedFleet, 'port' | 'addresses'>;
  readonly mode: 'fresh' | 'keep';
  readonly concurrency: number;
}

/** The smallest client in Go, with x/crypto/ssh. */
export function goClient(settings: LoadSettings): Contestant {
  const program = buildGoProgram('ssh-load', settings.folder);
  return lineContestant('Go, x/crypto/ssh', LineProcess.start(program, loadArguments(settings)));
}

/** ssh2 as it comes. */
export function plainSsh2(settings: LoadSettings): Contestant {
  const hook = join(__dirname, '../lab/typescript-hook.cjs');
  const argv = ['--require', hook, join(__dirname, 'ssh2-load.ts'), ...loadArguments(settings)];
  return lineContestant('ssh2 as it comes', LineProcess.start(process.execPath, argv));
}

function lineContestant(name: string, load: LineProcess): Contestant {
  return {
    name,
    async run(probes) {
      return { probes, ...(JSON.parse(await load.ask(`${probes}`)) as Omit<Round, 'probes'>) };
    },
    stop: () => load.stop(),
  };
}

function loadArguments({ folder, fleet, mode, concurrency }: LoadSettings): string[] {
  const list = fleet.addresses.map((address) => `${address}:${fleet.port}`);
  const addresses = write(folder, 'addresses', `${list.join('\n')}\n`);
  return [
    mode,
    addresses,
    fleet.user,
    fleet.keyFile,
    fleet.hostKeyFile,
    inputFile(folder),
    keyExchange,
    `${concurrency}`,
  ];
}

/** What a probe sends, the same for everyone. */
function inputFile(folder: string): string {
  return write(folder, 'input', probeInput('0123456789abcdef', { exposure: false, sudo: false }));
}

/** One `ssh` process a probe, started by xargs. */
export function sshProcesses(settings: LoadSettings, probes: number): Contestant {
  const { folder, fleet, concurrency } = settings;
  const script =
    `xargs -P ${concurrency} -I ADDRESS sh -c ` +
    `'ssh -F ${sshConfig(settings)} ADDRESS /bin/sh <${inputFile(folder)} >/dev/null 2>&1 || exit 255'`;
  return {
    name: 'ssh by xargs',
    probes,
    run: (count) => timedShell(script, turns(fleet.addresses, count)),
    stop: () => Promise.resolve(),
  };
}

/** The same with a master connection a host, kept open; the masters' processor time counts. */
export async function sshMasters(settings: LoadSettings, hosts: number, probes: number): Promise<Contestant> {
  const { folder, fleet, concurrency } = settings;
  const addresses = fleet.addresses.slice(0, hosts);
  const config = sshConfig(settings);
  const socket = `${folder}/master-%h`;
  const masters = addresses.map((address) =>
    spawn('ssh', ['-F', config, '-N', '-M', '-S', socket, address], { stdio: 'ignore' }),
  );
  const script =
    `xargs -P ${concurrency} -I ADDRESS sh -c ` +
    `'ssh -F ${config} -S ${socket} ADDRESS /bin/sh <${inputFile(folder)} >/dev/null 2>&1 || exit 255'`;
  for (const address of addresses) await untilMaster(folder, address);
  const spent = (): number => masters.reduce((sum, { pid }) => sum + processorSecondsOf(pid ?? 0), 0);
  return {
    name: 'ssh with ControlMaster',
    probes,
    async run(count) {
      const before = spent();
      const round = await timedShell(script, turns(addresses, count));
      return { ...round, processorSeconds: round.processorSeconds + spent() - before };
    },
    async stop() {
      await Promise.all(masters.map(stopped));
    },
  };
}

/** `ansible -m raw`, which runs a command and nothing else. It sends no input, so this is less than a probe. */
export function ansibleRaw(settings: LoadSettings, probes: number): Contestant {
  const { folder, fleet, concurrency } = settings;
  const inventory = write(
    folder,
    'ansible-inventory',
    `${fleet.addresses.slice(0, probes).join('\n')}\n[all:vars]\nansible_ssh_common_args='-F ${sshConfig(settings)}'\n`,
  );
  const script = `ansible all -i ${inventory} -f ${concurrency} -m raw -a 'uname -r' >${folder}/ansible.log 2>&1`;
  return { name: 'ansible raw', probes, run: (count) => timedShell(script, '', count), stop: () => Promise.resolve() };
}

async function untilMaster(folder: string, address: string): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    try {
      execFileSync('ssh', ['-S', `${folder}/master-${address}`, '-O', 'check', address], { stdio: 'ignore' });
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  throw new Error(`no master connection to ${address} came up`);
}

function sshConfig({ folder, fleet }: LoadSettings): string {
  const lines = [
    `Port ${fleet.port}`,
    `User ${fleet.user}`,
    `IdentityFile ${fleet.keyFile}`,
    `UserKnownHostsFile ${fleet.knownHostsFile}`,
    `KexAlgorithms ${keyExchange}`,
    `Ciphers ${cipher}`,
    'IdentitiesOnly yes',
    'BatchMode yes',
    'StrictHostKeyChecking yes',
    'PreferredAuthentications publickey',
  ];
  return write(folder, 'ssh_config', `${lines.join('\n')}\n`);
}

function turns(addresses: readonly string[], count: number): string {
  return Array.from({ length: count }, (_, at) => `${addresses[at % addresses.length] ?? ''}\n`).join('');
}

/** Runs a script and counts the processor time of all it starts. */
async function timedShell(script: string, input: string, probes = input.split('\n').length - 1): Promise<Round> {
  const begunMs = performance.now();
  const shell = spawn('bash', ['-c', `TIMEFORMAT='processor %U %S'; time ${script}`], {
    stdio: ['pipe', 'inherit', 'pipe'],
  });
  let said = '';
  shell.stderr.on('data', (piece: Buffer) => (said = (said + piece.toString()).slice(-4000)));
  shell.stdin.end(input);
  const [code] = (await once(shell, 'close')) as [number | null];
  const times = /processor ([\d.]+) ([\d.]+)/.exec(said);
  if (code !== 0 || times === null) throw new Error(`${script} ended with ${code}: ${said}`);
  return {
    probes,
    processorSeconds: Number(times[1]) + Number(times[2]),
    elapsedSeconds: (performance.now() - begunMs) / 1000,
  };
}

function write(folder: string, name: string, text: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}
