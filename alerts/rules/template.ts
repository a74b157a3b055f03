import { serverDashboardPath } from '../settings';

/** The host of an alert, as every description begins or has it in its middle. */
export const who = '{{ $labels.host }} of stack {{ $labels.stack }}';

/** For a pipeline: "3d 4h 12m 7s", "15d", "2m 30s". `humanizeDuration` alone writes "15d 0h 0m 0s". */
export const duration = 'humanizeDuration | reReplaceAll "( 0[hms])+$" ""';

/** The same to the hour: "35d 4h", "35d". Below an hour to the second. */
export const roughDuration = 'humanizeDuration | reReplaceAll "h .*" "h" | reReplaceAll "( 0[hms])+$" ""';

/** Prints the value of a sample, a unix time, in UTC. */
export const valueInUtc = '{{ (.Value | toTime).Format "2006-01-02 15:04 MST" }}';

/** A template's query of one metric of the alert's host, as `range` wants it. Quoted by %q: names of hosts are data, not PromQL. */
export function queryOfHost(before: string, after: string): string {
  return `query (printf \`${before}{host=%q,stack=%q}${after}\` $labels.host $labels.stack)`;
}

/** The dashboard of the alert's host, as a path below Grafana's address. */
export const serverDashboard = `${serverDashboardPath}?var-stack={{ $labels.stack | urlquery }}&var-host={{ $labels.host | urlquery }}`;
