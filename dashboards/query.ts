/**
 * The queries of the dashboards, made of a few named parts. Labels of the hosts' own are aggregated away, so that
 * each host is one series whatever labels the configuration gives it.
 */

/** Matches what the variables of a dashboard select. */
export const selection = 'stack=~"$stack", host=~"$host"';

/** One series a host and stack of a gauge. */
export function byHost(metric: string, matchers = selection): string {
  return `max by (host, stack) (${metric}{${matchers}})`;
}

/** Hosts that need a restart. */
export const required = `(${byHost('reboot_required')} == 1)`;
/** Hosts that a port of is open to anywhere, or may be. */
export const exposed = `(${byHost('exposed_to_anywhere')} == 1)`;
/** For how long each of the hosts that need a restart has needed it, in seconds. */
export const age = `(${byHost('reboot_required_age_seconds')} and on (host, stack) ${required})`;

/** A threshold of each stack, in seconds. */
export function limit(exposure: 'exposed' | 'internal', severity: 'warning' | 'critical'): string {
  return `max by (stack) (reboot_policy_after_seconds{exposure="${exposure}", severity="${severity}"})`;
}

/** Ages of the hosts that are past a threshold of their stack. */
export function past(severity: 'warning' | 'critical'): string {
  const exposedAge = `(${age} and on (host, stack) ${exposed})`;
  const internalAge = `(${age} unless on (host, stack) ${exposed})`;
  return (
    `((${exposedAge} >= on (stack) group_left () ${limit('exposed', severity)})` +
    ` or (${internalAge} >= on (stack) group_left () ${limit('internal', severity)}))`
  );
}

/** 3: critical, 2: warning, 1: needs a restart. */
export const urgency = `((${past('critical')} * 0 + 3) or (${past('warning')} * 0 + 2) or (${required} * 0 + 1))`;

/** Seconds until each host that needs a restart is critical; negative: since when it has been. */
export const timeLeft =
  `((-1 * (${age} and on (host, stack) ${exposed}) + on (stack) group_left () ${limit('exposed', 'critical')})` +
  ` or (-1 * (${age} unless on (host, stack) ${exposed}) + on (stack) group_left () ${limit('internal', 'critical')}))`;

/** Hosts that could not be probed and are not just restarting. */
export const unreachable = `((${byHost('reboot_probe_success')} == 0) unless on (host, stack) (${byHost('reboot_host_restarting')} == 1))`;

/** One value, 0, while any selected host is known at all; empty where nothing is: nothing known is no good news. */
const known = `0 * count(reboot_probe_success{${selection}})`;

/** Counts series, and counts none as 0: "nothing" is an answer that must not look like "no data". */
export function count(expression: string): string {
  return orZero(`count(${expression})`);
}

/** A single value, or 0 where it is empty although hosts are known. */
export function orZero(expression: string): string {
  return `(${expression} or ${known})`;
}

/** Stands in for a number of urgency and the like where nothing is known. */
export const nothingKnown = -1;

/**
 * The same, or where it is empty a single row with a sentence in place of a host: a table without rows would leave the
 * reader to guess whether that is good news. The sentence is another one where no host is known.
 */
export function orSay(expression: string, sentence: string, value: number): string {
  const good = `label_replace(${known} + ${value}, "host", "${sentence}", "", "")`;
  const silence = `label_replace(vector(${nothingKnown}), "host", "No host is known", "", "")`;
  return `(${expression} or on () ${good} or on () ${silence})`;
}
