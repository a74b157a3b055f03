import { ofThisExporter, type Matcher } from './route';

/** While the source fires, the target is not sent, where all labels of `equal` have the same values. */
export interface Inhibition {
  readonly source: readonly Matcher[];
  readonly target: readonly Matcher[];
  readonly equal: readonly string[];
}

/** Says that a host is gone: whatever else is said of it is old. */
const gone = 'RebootHostUnreachable';

/** Alerts that say that a host cannot be read. They are no matter of how urgent its restart is, and severity does not silence them. */
const unreadable = ['RebootHostKeyChanged', 'RebootProbeFailing', 'RebootStateStale'] as const;

/** Alertmanager takes labels that are missing on both sides for equal, so each rule asks for the labels that it compares. */
const aHost: readonly Matcher[] = [
  { label: 'host', operator: '!=', value: '' },
  { label: 'stack', operator: '!=', value: '' },
];

const sameHost = ['host', 'stack'] as const;

function oneOf(label: string, values: readonly string[]): Matcher {
  return { label, operator: values.length === 1 ? '=' : '=~', value: values.join('|') };
}

function named(...names: readonly string[]): Matcher {
  return oneOf('alertname', names);
}

function notNamed(...names: readonly string[]): Matcher {
  return { label: 'alertname', operator: '!~', value: names.join('|') };
}

function severity(...values: readonly string[]): Matcher {
  return oneOf('severity', values);
}

/**
 * No alert may be the source of a rule and the target of another in turn with
 * the same partner: Alertmanager lets an inhibited alert inhibit, so the two
 * would silence each other. Hence the names that severity leaves alone.
 */
export function inhibitions(): readonly Inhibition[] {
  const leftAlone = notNamed(gone, ...unreadable);
  return [
    {
      source: [ofThisExporter, severity('critical'), leftAlone, ...aHost],
      target: [ofThisExporter, severity('warning', 'info'), leftAlone, ...aHost],
      equal: sameHost,
    },
    {
      source: [ofThisExporter, severity('warning'), leftAlone, ...aHost],
      target: [ofThisExporter, severity('info'), leftAlone, ...aHost],
      equal: sameHost,
    },
    {
      // A changed host key is not old news of an unreachable host, but may be why it seems to be one.
      source: [named(gone), ...aHost],
      target: [ofThisExporter, notNamed(gone, 'RebootHostKeyChanged'), ...aHost],
      equal: sameHost,
    },
    {
      source: [named('RebootHostKeyChanged', 'RebootProbeFailing'), ...aHost],
      target: [named('RebootStateStale'), ...aHost],
      equal: sameHost,
    },
    {
      // Both fire when the only exporter is down; they share no label.
      source: [named('RebootExporterAbsent')],
      target: [named('RebootExporterDown')],
      equal: [],
    },
  ];
}
