// What a probe costs a host: node --require ./test/lab/typescript-hook.cjs test/bench/probe-cost.ts
// Processor time of the shell and all that it starts, by times(2) over many runs, and processes by strace(1).
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { probeInput, type ProbeWish } from '../../src/probe/program';
import type { HostSpec } from '../lab/host-spec';
import { Lab } from '../lab/lab';
import { runProgram } from '../lab/program';

const runs = 50;
const restartOnly: ProbeWish = { exposure: false, sudo: false };
const everything: ProbeWish = { exposure: true, sudo: false };

/** A system of which the cost is measured. */
interface Place {
  readonly name: string;
  /** Runs a program on it, as its unprivileged user. */
  readonly run: (argv: readonly string[]) => Promise<string>;
  /** Writes a file there. */
  readonly write: (path: string, content: string | Buffer) => void;
  readonly folder: string;
}

const specs: readonly (HostSpec & { readonly title: string })[] = [
  { title: 'Ubuntu 24.04, nothing needed', name: 'ubuntu' },
  {
    title: 'Ubuntu 24.04, a flag with two packages and a newer kernel',
    name: 'flagged',
    packages: [{ name: 'linux-image-6.8.0-50-generic', version: '6.8.0-50.51', installedAt: new Date() }],
  },
  { title: 'AlmaLinux 9 (rpm)', name: 'alma', system: 'almalinux-9' },
  { title: 'Alpine 3.20 (BusyBox)', name: 'alpine', system: 'alpine-3.20' },
  {
    title: 'Arch',
    name: 'arch',
    kernel: { release: '6.11.5-arch1-1', version: '#1 SMP' },
    files: { '/usr/lib/os-release': 'ID=arch\n', '/usr/lib/modules/6.11.5-arch1-1/pkgbase': 'linux\n' },
    without: ['apt', 'apt-config', 'apt-get', 'dpkg', 'dpkg-query', 'rpm'],
  },
];

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function measure(
  place: Place,
  wish: ProbeWish,
): Promise<{ milliseconds: number; programs: number; processes: number }> {
  const file = join(place.folder, 'probe.sh');
  place.write(file, probeInput('0', wish));
  const loop = `i=0; while [ $i -lt ${runs} ]; do sh <${file} >/dev/null 2>&1; i=$((i + 1)); done; times`;
  const times = (await place.run(['sh', '-c', loop])).trim().split('\n').pop() ?? '';
  const seconds = times
    .split(/\s+/)
    .map((part) => /^([0-9]+)m([0-9.]+)s$/.exec(part))
    .reduce((sum, found) => sum + (found === null ? NaN : Number(found[1]) * 60 + Number(found[2])), 0);
  const trace = join(place.folder, 'trace');
  const traced = [
    'strace',
    '-f',
    '-qq',
    '-e',
    'trace=execve,clone,clone3,fork,vfork',
    '-o',
    trace,
    'sh',
    '-c',
    `sh <${file} >/dev/null 2>&1`,
  ];
  await place.run(traced);
  const lines = (await place.run(['cat', trace])).split('\n');
  // A call that another process interrupts has two lines; its beginning is counted.
  const programs = lines.filter((line) => line.includes('execve(') && !/ = -1 /.test(line)).length - 2;
  const processes = lines.filter((line) => /\b(?:clone3?|v?fork)\(/.test(line)).length - 1;
  return { milliseconds: (seconds / runs) * 1000, programs, processes };
}

async function row(place: Place): Promise<void> {
  const cells: string[] = [];
  for (const wish of [restartOnly, everything]) {
    const { milliseconds, programs, processes } = await measure(place, wish);
    cells.push(milliseconds.toFixed(0), `${programs}`, `${processes}`);
  }
  say(`| ${[place.name, ...cells].join(' | ')} |`);
}

async function main(): Promise<void> {
  say('| system | ms | programs | processes | with exposure: ms | programs | processes |');
  say('| --- | --- | --- | --- | --- | --- | --- |');
  const folder = mkdtempSync(join(tmpdir(), 'probe-cost-'));
  try {
    const packages = readFileSync('/var/lib/dpkg/status', 'utf8').split('\nPackage: ').length;
    await row({
      name: `this machine, dpkg with ${packages} packages`,
      folder,
      write: (file, content) => writeFileSync(file, content),
      run: async (argv) => (await runProgram([...argv])).stdout,
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
  const lab = await Lab.start({ hosts: specs });
  try {
    lab.host('flagged').setFlag(['linux-image-6.8.0-50-generic', 'linux-base']);
    for (const { name, title } of specs) {
      const host = lab.host(name);
      await row({
        name: title,
        folder: '/tmp',
        write: (file, content) => host.files.write(file, content),
        run: async (argv) => (await host.exec([...argv])).stdout,
      });
    }
  } finally {
    await lab.stop();
  }
}

void main();
