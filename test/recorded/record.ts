import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { probeInput, probeProgram } from '../../src/probe/program';
import { decodeAnswer } from '../../src/report/frame';
import { buildDeb } from '../fixture/deb-package';
import { findProgram } from '../fixture/programs';
import { HostRoot } from '../fixture/host-root';
import { buildRpms, rpmFile, type RpmPackageSpec } from '../fixture/rpm-package';
import { now } from '../fixture/said';
import { run } from '../fixture/shell';
import type { Proof } from './recorded-host';

/**
 * Records reports with the tools of this machine: a folder stands for the root of a host, rpm and dpkg write their
 * databases below it at the time that is told (faketime), and the probe program reads it.
 */

/** A host to be recorded. */
export interface Recording {
  /** Name of its folder. */
  readonly folder: string;
  /** Name of its report, where a folder has several. Default: `report`. */
  readonly report?: string;
  readonly proof: Proof;
  /** Lines of `source`: the facts that decide, and where each comes from. */
  readonly source: readonly string[];
  /** Programs that it has beside those of every system. */
  readonly programs?: readonly string[];
  /** Birth time of the flags, unix time in seconds: a file of a test can't be given one. Default: unknown, 0. */
  readonly born?: number;
  readonly arrange: (host: RecordedRoot) => Promise<void> | void;
}

/** What every system has of the programs that the probe program starts. */
const everywhere = [
  'sh',
  'cat',
  'date',
  'grep',
  'head',
  'id',
  'readlink',
  'sed',
  'sort',
  'stat',
  'timeout',
  'tr',
  'uname',
];
const nonce = '0';

/** The root of a host, and what can be done to it. */
export class RecordedRoot extends HostRoot {
  private readonly packages = mkdtempSync(join(tmpdir(), 'rpms-'));

  /** Installs with the real rpm, at that time. */
  async rpm(database: string, atSeconds: number, ...specs: readonly RpmPackageSpec[]): Promise<void> {
    await buildRpms(this.packages, specs);
    this.makeFolder(database);
    const command = ['rpm', '--dbpath', join(this.path, database), '--nodeps', '--justdb', '--ignorearch', '-i'];
    const at = new Date(atSeconds * 1000).toISOString().replace('T', ' ').slice(0, 19);
    await must(['faketime', `${at} UTC`, ...command, ...specs.map((spec) => join(this.packages, rpmFile(spec)))]);
  }

  /** Installs with the real dpkg, and sets when. */
  async deb(atSeconds: number, name: string, version: string, multiArch: 'no' | 'same' = 'no'): Promise<void> {
    const file = await buildDeb(this.packages, { name, version, multiArch });
    for (const folder of ['info', 'updates', 'triggers']) this.makeFolder(`var/lib/dpkg/${folder}`);
    await must(['dpkg', `--root=${this.path}`, '--force-bad-path', '-i', file]);
    const list = multiArch === 'same' ? `${name}:amd64.list` : `${name}.list`;
    utimesSync(join(this.path, 'var/lib/dpkg/info', list), atSeconds, atSeconds);
  }

  async removeDeb(name: string): Promise<void> {
    await must(['dpkg', `--root=${this.path}`, '--force-bad-path', '--remove', name]);
  }

  /** Everything of Debian's goes. */
  removeDebian(): void {
    for (const file of ['var/lib/dpkg', 'var/lib/apt', 'etc/systemd/system/timers.target.wants']) this.removeFile(file);
  }

  override remove(): void {
    rmSync(this.packages, { recursive: true, force: true });
    super.remove();
  }
}

async function must(command: readonly string[]): Promise<void> {
  const { status, errors } = await run(command, '', { HOME: '/root' });
  if (status !== 0) throw new Error(`${command.join(' ')}: ${errors}`);
}

/** Writes `report` and `source` of a host into its folder; `expected.json` is written by hand. */
export async function record(folder: string, recording: Recording): Promise<void> {
  const root = new RecordedRoot();
  try {
    await recording.arrange(root);
    const path = join(root.path, '.programs');
    mkdirSync(path);
    for (const program of [...everywhere, ...(recording.programs ?? [])]) {
      symlinkSync(findProgram(program) ?? `/no/${program}`, join(path, program));
    }
    const program = probeProgram(root.path).replace(/^PATH=.*$/m, `PATH='${path}'`);
    const { output } = await run(['sh'], probeInput(nonce, { exposure: false, sudo: false }, program));
    const report = asOfNow(output.toString().replaceAll(root.path, ''), recording.born ?? 0);
    const { sections } = await decodeAnswer(Buffer.from(report), nonce);
    const told = recording.source.join('\n');
    const others = [...sections.keys()].filter(
      (name) => !new RegExp(`^[a-z_, ]*\\b${name}\\b[a-z_, ]*:`, 'm').test(told),
    );
    mkdirSync(join(folder, recording.folder), { recursive: true });
    writeFileSync(join(folder, recording.folder, recording.report ?? 'report'), report);
    writeFileSync(
      join(folder, recording.folder, 'source'),
      `proof: ${recording.proof}\n${told}\n${others.join(', ')}: made up; read by the probe program from files in a folder\n`,
    );
  } finally {
    root.remove();
  }
}

/** The clock of the host is that of its files' times. The firewall is no part of a recorded host. */
function asOfNow(report: string, born: number): string {
  return report
    .replace(/^date=.*$/m, `date=${now}.250000000`)
    .replace(/^((?:stat|staged|state)=(?:reboot-required(?:\.pkgs)? )?)[0-9]+ /gm, `$1${born} `)
    .replace(/\n=0 begin exposure_fingerprint\n[^]*\n=0 end exposure_fingerprint [0-9]+\n/, '');
}
