import type { ExpectedState, ModelHost, Span } from './model-host';
import type { Scrape } from './scrape';

/** What of a host's published state is not as it was set up, a line each. */
export function compareState(metrics: Scrape, model: ModelHost, state: ExpectedState): string[] {
  const { name } = model;
  const own = { host: name, stack: model.host.spec.stack ?? '', own: `label of ${name}` };
  const wanted = {
    required: state.required ? 1 : 0,
    unknown: 0,
    reasons: state.reasons,
    packages: state.packages,
    count: state.packages.length,
    survived: state.survivedRestart ? 1 : 0,
    exposed: model.exposed ? 1 : 0,
    basis: ['declared'],
  };
  const published = {
    required: metrics.value('reboot_required', own),
    unknown: metrics.value('reboot_required_unknown', { host: name }),
    reasons: metrics.labelValues('reboot_required_reason_info', 'reason', { host: name }),
    packages: metrics.labelValues('reboot_required_package_info', 'package', { host: name }),
    count: metrics.value('reboot_required_packages', { host: name }),
    survived: metrics.value('reboot_still_required_after_restart', { host: name }),
    exposed: metrics.value('exposed_to_anywhere', own),
    basis: metrics.labelValues('exposed_to_anywhere_basis_info', 'basis', { host: name }),
  };
  const faults = compareSpan(
    name,
    'since',
    metrics.value('reboot_required_since_timestamp_seconds', { host: name }),
    state.since ?? undefined,
  );
  if (JSON.stringify(published) !== JSON.stringify(wanted)) {
    faults.push(`${name}: published ${JSON.stringify(published)}, set up ${JSON.stringify(wanted)}`);
  }
  if (!state.required && metrics.value('reboot_required_age_seconds', own) !== 0)
    faults.push(`${name}: an age, and not required`);
  return faults;
}

/** Whether a time is within the span in which it was set up; neither is fine as well. */
export function compareSpan(host: string, what: string, value: number | undefined, span: Span | undefined): string[] {
  if (value === undefined && span === undefined) return [];
  if (value !== undefined && span !== undefined && isIn(value, span)) return [];
  return [`${host}: ${what} ${value}, and not ${JSON.stringify(span)}`];
}

export function isIn(value: number, span: Span): boolean {
  return value >= span.from && value <= span.to;
}
