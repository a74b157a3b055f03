import { selector, type Labels } from './rule-case';

/** Labels that every scrape adds. */
export const scraped = { job: 'reboot-exporter', instance: 'exporter:10066' } as const;

/** Series of one host, each by the metric's name; values in promtool's notation. Absent: the host has no such series. */
export interface HostSeries {
  readonly required?: string;
  readonly age?: string;
  readonly exposed?: string;
  readonly unknown?: string;
  readonly success?: string;
  readonly restarting?: string;
  readonly scheduled?: string;
  readonly expected?: string;
  readonly livepatched?: string;
  readonly stillRequired?: string;
  readonly enabled?: string;
  readonly installed?: string;
  readonly lastRun?: string;
  readonly updates?: string;
  readonly updatesRan?: string;
  readonly boot?: string;
  readonly lastSuccess?: string;
  readonly since?: string;
}

const metrics: Record<keyof HostSeries, string> = {
  required: 'reboot_required',
  age: 'reboot_required_age_seconds',
  exposed: 'exposed_to_anywhere',
  unknown: 'reboot_required_unknown',
  success: 'reboot_probe_success',
  restarting: 'reboot_host_restarting',
  scheduled: 'reboot_scheduled_timestamp_seconds',
  livepatched: 'reboot_required_livepatched',
  expected: 'reboot_expected_timestamp_seconds',
  stillRequired: 'reboot_still_required_after_restart',
  enabled: 'unattended_upgrades_enabled',
  installed: 'unattended_upgrades_installed',
  lastRun: 'unattended_upgrades_last_run_timestamp_seconds',
  updates: 'automatic_updates_enabled',
  updatesRan: 'automatic_updates_last_run_timestamp_seconds',
  boot: 'reboot_host_boot_timestamp_seconds',
  lastSuccess: 'reboot_probe_last_success_timestamp_seconds',
  since: 'reboot_required_since_timestamp_seconds',
};

/** The gauges that also carry a host's own labels. */
const core: readonly (keyof HostSeries)[] = ['required', 'age', 'exposed'];

/** The series of one host as an exporter publishes them and Prometheus stores them. */
export function host(
  labels: { readonly host: string; readonly stack: string },
  series: HostSeries,
  more: { readonly own?: Labels; readonly scrape?: Labels } = {},
): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [key, values] of Object.entries(series) as [keyof HostSeries, string][]) {
    const own = core.includes(key) ? more.own : {};
    result[metrics[key] + selector({ ...labels, ...own, ...(more.scrape ?? scraped) })] = values;
  }
  return result;
}

/** One series of a host with labels beside its own. */
export function info(name: string, labels: Labels, values: string): Record<string, string> {
  return { [name + selector({ ...labels, ...scraped })]: values };
}

/** The limits of a stack, in promtool's notation. */
export function policy(
  stack: string,
  limits: Readonly<Record<'exposed' | 'internal', { readonly warning: string; readonly critical: string }>>,
): Record<string, string> {
  const result: Record<string, string> = {};
  for (const exposure of ['exposed', 'internal'] as const) {
    for (const severity of ['warning', 'critical'] as const) {
      Object.assign(
        result,
        info('reboot_policy_after_seconds', { stack, exposure, severity }, limits[exposure][severity]),
      );
    }
  }
  return result;
}

export const day = 86_400;
