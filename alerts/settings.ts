/**
 * What may differ between sites, in one place. Everything in `alerts/` that is
 * not an address or an hour follows from the metrics alone, so that rules need
 * no editing: thresholds come from the exporter's own configuration.
 */

/** Where the runbook pages are published; an alert's name and `.md` are appended. */
export const runbookBaseUrl = 'https://github.com/reboot-exporter/reboot-exporter/blob/main/docs/runbooks/';

/** Path of the dashboard about one server, below Grafana's own address (see templates/site.tmpl). */
export const serverDashboardPath = '/d/reboot-exporter-server/server';

/**
 * How far back a value still counts when the exporter itself is away: long
 * enough for an upgrade of it, so that a restart of the exporter neither
 * resolves an alert nor starts its `for` again.
 */
export const gapWindow = '10m';

/** When notices are delivered. Outside of it they are held, and delivered when it begins. */
export const officeHours = {
  name: 'office-hours',
  weekdays: ['monday:friday'],
  times: [{ start: '09:00', end: '17:00' }],
  location: 'UTC',
} as const;

/** The namespace that the Kubernetes manifests are written for. */
export const manifestNamespace = 'monitoring';

/** Stacks with receivers of their own, as an example to copy: alerts of these go to `<stack>-page`, `<stack>-chat` and `<stack>-notices`. */
export const stacksWithOwnReceivers: readonly string[] = ['shop'];
