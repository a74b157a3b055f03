import { right, wrong, type Reading } from '../config/reading';

/** The labels that `reboot_host_info` has of its own, beside those of the host. */
export const hostInfoLabels = ['os', 'os_version', 'kernel_running', 'kernel_installed', 'virtualization'] as const;

/**
 * Labels that a host can't set, and who does. Host labels stand on series beside the exporter's own, so a clash would
 * be a duplicate label, which Prometheus refuses with the entire scrape.
 */
export const reservedLabels: ReadonlyMap<string, string> = new Map([
  ['host', 'the exporter sets it'],
  ['stack', 'the exporter sets it: give the host its `stack:`'],
  ...hostInfoLabels.map((name): [string, string] => [name, '`reboot_host_info` has it already']),
  ['severity', 'the alert rules set it'],
  ['exposure', 'the alert rules set it'],
  ['alertname', 'Prometheus sets it on alerts'],
  ['le', 'Prometheus keeps it for histograms'],
  ['quantile', 'Prometheus keeps it for summaries'],
]);

export const labelNamePattern = '^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$';

const maxValueLength = 1024;

/** Checks the name of a host's own label against Prometheus' grammar and the names that are taken. */
export function readLabelName(name: string): Reading<string> {
  if (!/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name)) {
    const fixed = name.replace(/[^a-zA-Z0-9_]/g, '_').replace(/^([0-9])/, '_$1');
    const advice = fixed.replaceAll('_', '') === '' ? 'use letters, digits and `_`' : `write \`${fixed}\``;
    return wrong(`\`${name}\` is no label name: ${advice}`);
  }
  if (name.startsWith('__')) return wrong(`\`${name}\` can't be a label: Prometheus keeps \`__\` for itself`);
  const owner = reservedLabels.get(name);
  return owner === undefined ? right(name) : wrong(`\`${name}\` can't be a host's label: ${owner}`);
}

/** Checks a label's value: any text but control characters, up to 1024 characters. */
export function readLabelValue(value: string): Reading<string> {
  if (value.length > maxValueLength) return wrong(`a label's value has at most ${maxValueLength} characters`);
  if (/[\p{Cc}\p{Cs}\u2028\u2029]/u.test(value))
    return wrong("a label's value must be one line without control characters");
  return right(value);
}
