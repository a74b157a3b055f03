import type { BenchRow } from './table';
import { comparison } from './table';
import { startCannedFleet } from './canned-fleet';
import { ansibleRaw, goClient, plainSsh2, sshMasters, sshProcesses } from './clients';
import { elapsedMs, processorMs, takeTurns, type Contestant, type Round } from './contest';
import { exporterContestant, insistOnSuccess, startExporter, warmUpBy } from './exporter-under-test';
import { startRealSshd } from './real-sshd';

/** What a benchmark is run with. */
export interface BenchSetting {
  /** For its files. */
  readonly folder: string;
  /** Fewer and shorter rounds: shows that it works, its figures are not to be trusted. */
  readonly isQuick: boolean;
  /** How long a sweep is watched after its first two minutes. */
  readonly minutes: number;
  /** How many hosts a sweep probes. */
  readonly hosts: number;
  readonly say: (line: string) => void;
}

const concurrency = 16;

/** Processor time of one probe over a connection of its own, against a canned server. */
export async function freshProbes({ folder, isQuick, say }: BenchSetting): Promise<string> {
  const hosts = isQuick ? 50 : 200;
  const fleet = await startCannedFleet(folder, hosts);
  try {
    const own = { connection: 'fresh', concurrency, interval: '24h' } as const;
    const restart = await startExporter(folder, fleet, own);
    const exposure = await startExporter(folder, fleet, { ...own, withExposure: true });
    const settings = { folder, fleet, mode: 'fresh', concurrency } as const;
    const contestants = [
      exporterContestant('reboot-exporter', restart, hosts),
      goClient(settings),
      plainSsh2(settings),
      sshProcesses(settings, isQuick ? 20 : 100),
      ansibleRaw(settings, isQuick ? 4 : 32),
      exporterContestant('reboot-exporter, exposure evaluated each time', exposure, hosts),
    ];
    await insistOnSuccess(restart, hosts);
    await insistOnSuccess(exposure, hosts);
    const rounds = await takeTurns(contestants, { ...lengthOf(isQuick, 1000), say });
    return comparison('ms of processor', rowsOf(contestants, rounds, processorMs));
  } finally {
    await fleet.stop();
  }
}

/** Processor time of one probe over a connection kept open, against a real sshd that runs the real program. */
export async function keptProbes({ folder, isQuick, say }: BenchSetting): Promise<string> {
  const hosts = isQuick ? 10 : 40;
  const fleet = await startRealSshd(folder, hosts);
  const warmUp = await startCannedFleet(folder, hosts);
  try {
    const own = { connection: 'keep', concurrency, interval: '24h', warmUp } as const;
    const exporter = await startExporter(folder, fleet, own);
    const settings = { folder, fleet, mode: 'keep', concurrency } as const;
    const contestants = [
      exporterContestant('reboot-exporter', exporter, hosts),
      goClient(settings),
      plainSsh2(settings),
      await sshMasters(settings, Math.min(hosts, 10), isQuick ? 20 : 60),
    ];
    await insistOnSuccess(exporter, hosts);
    // A real program takes so long that the exporter would be measured before its code is compiled.
    await warmUpBy(exporter, hosts, isQuick ? 100 : 3000);
    const rounds = await takeTurns(contestants, { ...lengthOf(isQuick, hosts * 4), say });
    return comparison('ms of processor', rowsOf(contestants, rounds, processorMs));
  } finally {
    await warmUp.stop();
    await fleet.stop();
  }
}

/** How long one fresh probe takes when nothing else goes on, against a canned server. */
export async function latency({ folder, isQuick, say }: BenchSetting): Promise<string> {
  const fleet = await startCannedFleet(folder, 1);
  try {
    const exporter = await startExporter(folder, fleet, { connection: 'fresh', concurrency: 1, interval: '24h' });
    const settings = { folder, fleet, mode: 'fresh', concurrency: 1 } as const;
    const contestants = [exporterContestant('reboot-exporter', exporter, 1), goClient(settings), plainSsh2(settings)];
    await insistOnSuccess(exporter, 1);
    const rounds = await takeTurns(contestants, { ...lengthOf(isQuick, 50), say });
    return comparison('ms', rowsOf(contestants, rounds, elapsedMs));
  } finally {
    await fleet.stop();
  }
}

function lengthOf(isQuick: boolean, probes: number): { warmRounds: number; rounds: number; probes: number } {
  return isQuick ? { warmRounds: 1, rounds: 2, probes: Math.min(probes, 50) } : { warmRounds: 3, rounds: 7, probes };
}

function rowsOf(
  contestants: readonly Contestant[],
  rounds: ReadonlyMap<string, readonly Round[]>,
  figure: (rounds: readonly Round[]) => number[],
): BenchRow[] {
  return contestants.map(({ name }) => ({ name, figures: figure(rounds.get(name) ?? []) }));
}
