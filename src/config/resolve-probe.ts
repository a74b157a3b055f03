import { checkCron } from './cron';
import type { ProbeSchedule, ProbeSettings } from './config';
import { formatDuration } from './duration';
import { faultAt, type Fault } from './fault';
import type { ConfigInput } from './schema';
import { never } from './schema-fields';
import type { YamlText } from './yaml-text';

type ProbeInput = NonNullable<ConfigInput['probe']>;

/** The probe settings of a configuration that gives none. */
const defaults = {
  schedule: '*/5 * * * *',
  timeoutSeconds: 10,
  concurrency: 64,
  staleAfterSeconds: 3600,
  exposureIntervalSeconds: 3600,
} as const;

/** One missed probe must not end a host's state, nor two. */
const stalePeriods = 3;

/** Fills in the probe settings. */
export function resolveProbe(input: ProbeInput | undefined): ProbeSettings {
  const schedule = scheduleOf(input);
  return {
    schedule,
    timeoutSeconds: input?.timeout ?? defaults.timeoutSeconds,
    concurrency: input?.concurrency ?? defaults.concurrency,
    staleAfterSeconds:
      input?.stale_after ?? Math.max(defaults.staleAfterSeconds, stalePeriods * (longestPeriodSeconds(schedule) ?? 0)),
    exposureIntervalSeconds: input?.exposure_interval ?? defaults.exposureIntervalSeconds,
  };
}

/** The longest time from one probe of a host to its next, as its schedule says; null where it says nothing. */
export function longestPeriodSeconds(schedule: ProbeSchedule): number | null {
  if (schedule.kind === 'never') return null;
  if (schedule.kind === 'interval') return schedule.seconds;
  const checked = checkCron(schedule.expression);
  return checked.ok ? checked.longestGapSeconds : 0;
}

/** What single values can't show: settings that contradict each other. */
export function probeFaults(
  text: YamlText,
  input: ProbeInput | undefined,
  resolved: ProbeSettings,
): { faults: Fault[]; warnings: Fault[] } {
  const faults: Fault[] = [];
  const warnings: Fault[] = [];
  if (input?.schedule !== undefined && input.interval !== undefined) {
    faults.push(
      faultAt(
        text.file,
        text.placeOf(['probe', 'interval'], 'key'),
        'probe: give either `schedule` or `interval`, not both',
      ),
    );
  }
  const period = longestPeriodSeconds(resolved.schedule);
  if (period === null) return { faults, warnings };
  if (resolved.staleAfterSeconds < period) {
    const message = `probe.stale_after: ${formatDuration(resolved.staleAfterSeconds)} is shorter than the longest time between two probes, ${formatDuration(period)}: every host's state would end before it is probed again`;
    faults.push(faultAt(text.file, text.placeOf(['probe', 'stale_after']), message));
  }
  if (resolved.timeoutSeconds > period) {
    const key = input?.timeout === undefined ? scheduleKey(input) : 'timeout';
    const message = `probe.${key}: a probe may take ${formatDuration(resolved.timeoutSeconds)}, longer than the time between two probes, ${formatDuration(period)}`;
    warnings.push(faultAt(text.file, text.placeOf(['probe', key]), message));
  }
  return { faults, warnings };
}

function scheduleOf(input: ProbeInput | undefined): ProbeSchedule {
  if (input?.interval !== undefined) return { kind: 'interval', seconds: input.interval };
  if (input?.schedule === never) return { kind: 'never' };
  return { kind: 'cron', expression: input?.schedule ?? defaults.schedule };
}

function scheduleKey(input: ProbeInput | undefined): 'schedule' | 'interval' {
  return input?.interval === undefined ? 'schedule' : 'interval';
}
