import { ConfigError } from '../exporter';
import type { Config } from '../config/config';
import { loadConfig } from '../config/load';
import { hostDocument, type HostDocument } from '../document/host-document';
import { Fleet } from '../fleet/fleet';
import { silentLogger } from '../logging/logger';
import { createVolatileMemory } from '../memory/memory-file';
import { policyOf } from '../policy/stacks';
import { judgeExposure } from '../probe/exposure';
import { probeHost } from '../probe/probe';
import { createTimetable } from '../schedule/timetable';
import { SshTransport } from '../ssh/ssh-transport';
import { systemTime } from '../time/time';
import { renderDetails } from './check-details';
import { renderTable } from './check-table';

export interface CheckFlags {
  readonly configFile: string;
  /** Names of hosts; empty: every host. */
  readonly hosts: readonly string[];
  readonly format: 'table' | 'json';
}

/** Exit status of a Nagios plugin for each urgency. */
const statusOf = { none: 0, info: 1, warning: 1, critical: 2, unknown: 3 } as const;
/** Which of these counts as worse: an overdue host must not hide behind one that could not be reached. */
const worstFirst: readonly number[] = [2, 3, 1, 0];

/** Probes hosts once and prints their state. Answers the exit status: that of the worst host. */
export async function check(flags: CheckFlags): Promise<number> {
  const loaded = await loadConfig(flags.configFile);
  if (!loaded.ok) {
    process.stderr.write(`${new ConfigError(loaded.faults).message}\n`);
    return statusOf.unknown;
  }
  const { config } = loaded;
  const unknown = flags.hosts.filter((name) => !config.hosts.some((host) => host.name === name));
  if (unknown.length > 0) {
    process.stderr.write(`not in the inventory of ${config.file}: ${unknown.join(', ')}\n`);
    return statusOf.unknown;
  }
  const documents = await probeOnce(config, flags.hosts);
  if (flags.format === 'json') process.stdout.write(`${JSON.stringify({ hosts: documents }, null, 2)}\n`);
  else {
    const table = renderTable(documents, wantsColours(process.stdout, process.env));
    process.stdout.write(table + (flags.hosts.length > 0 ? renderDetails(documents) : ''));
  }
  const statuses = documents.map((document) => statusOf[document.urgency]);
  return worstFirst.find((status) => statuses.some((each) => each === status)) ?? 0;
}

/** Colours are for terminals: not for a pipe, which picocolors by itself would colour where CI is set. https://no-color.org */
function wantsColours(output: { readonly isTTY?: boolean }, env: NodeJS.ProcessEnv): boolean {
  if (env['FORCE_COLOR'] !== undefined && env['FORCE_COLOR'] !== '') return true;
  return output.isTTY === true && env['TERM'] !== 'dumb' && (env['NO_COLOR'] ?? '') === '';
}

async function probeOnce(config: Config, names: readonly string[]): Promise<HostDocument[]> {
  const hosts = names.length === 0 ? config.hosts : config.hosts.filter((host) => names.includes(host.name));
  const transport = new SshTransport();
  const fleet = new Fleet(
    {
      timetable: createTimetable(config.probe.schedule),
      timeoutSeconds: config.probe.timeoutSeconds,
      concurrency: config.probe.concurrency,
      exposureIntervalSeconds: config.probe.exposureIntervalSeconds,
    },
    {
      time: systemTime,
      log: silentLogger,
      memory: createVolatileMemory(),
      probe: (host, wish, signal) => probeHost(host, wish, transport, signal),
      evaluateExposure: judgeExposure,
    },
  );
  fleet.setHosts(hosts);
  const progress = createProgress(hosts.length);
  try {
    const statuses = await Promise.all(
      hosts.map(async (host) => {
        const status = await fleet.probe(host.name, { exposure: true });
        progress.step();
        return status;
      }),
    );
    return statuses.flatMap((status) =>
      status === null
        ? []
        : [
            hostDocument(status, {
              monotonicMs: systemTime.monotonicMs(),
              staleAfterSeconds: Infinity,
              isScheduled: config.probe.schedule.kind !== 'never',
              policy: policyOf(config.stacks, status.host.stack),
            }),
          ],
    );
  } finally {
    progress.end();
    await transport.close();
  }
}

/** Hosts from which on a person would wonder whether anything happens. */
const progressFrom = 5;

/** A line on the terminal that counts; nothing where the output is not a terminal. */
function createProgress(total: number): { step(): void; end(): void } {
  const isShown = process.stderr.isTTY && total >= progressFrom;
  let done = 0;
  const draw = (): void => {
    if (isShown) process.stderr.write(`\r\u001b[Kprobed ${done} of ${total} hosts`);
  };
  draw();
  return {
    step() {
      done++;
      draw();
    },
    end() {
      if (isShown) process.stderr.write('\r\u001b[K');
    },
  };
}
