import Table from 'cli-table3';
import { createColors } from 'picocolors';
import type { HostDocument } from '../document/host-document';
import { formatAge } from './age';

const order: readonly HostDocument['urgency'][] = ['critical', 'warning', 'unknown', 'info', 'none'];

type Paint = Record<HostDocument['urgency'], (text: string) => string>;

/** Every host in a line, the most urgent first, and a sentence that counts them. */
export function renderTable(documents: readonly HostDocument[], isColoured = false): string {
  const { green, cyan, yellow, red, magenta } = createColors(isColoured);
  const paint = { none: green, info: cyan, warning: yellow, critical: red, unknown: magenta };
  const table = new Table({
    head: ['HOST', 'STACK', 'RESTART', 'FOR', 'SINCE', 'WHY', 'EXPOSED', 'URGENCY'],
    style: { head: [], border: [], compact: true, 'padding-left': 0, 'padding-right': 2 },
    chars: {
      ...{ top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '', 'bottom-left': '' },
      ...{
        'bottom-right': '',
        left: '',
        'left-mid': '',
        mid: '',
        'mid-mid': '',
        right: '',
        'right-mid': '',
        middle: '',
      },
    },
  });
  const sorted = [...documents].sort(
    (a, b) =>
      order.indexOf(a.urgency) - order.indexOf(b.urgency) ||
      (b.restart.age_seconds ?? 0) - (a.restart.age_seconds ?? 0) ||
      a.host.localeCompare(b.host),
  );
  for (const document of sorted) table.push(row(document, paint));
  const lines = table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd());
  return `${lines.join('\n')}\n\n${summary(documents)}\n`;
}

function row(document: HostDocument, paint: Paint): string[] {
  const { restart, exposure } = document;
  const required = restart.verdict === 'required';
  return [
    document.host,
    document.stack,
    paint[document.urgency](restartWord(document)),
    required && restart.age_seconds !== null ? formatAge(restart.age_seconds) : '-',
    required && restart.since !== null ? `${restart.since} (${restart.evidence ?? 'unknown'})` : '-',
    why(document),
    exposureWord(exposure),
    paint[document.urgency](document.urgency),
  ];
}

function restartWord({ probe, restart }: HostDocument): string {
  if (probe.success === false) return 'no answer';
  return { required: 'required', not_required: 'not needed', unknown: 'unknown' }[restart.verdict];
}

/** Longest text of a cell that may be anything, in characters. */
const maxCell = 60;

function why({ probe, restart }: HostDocument): string {
  if (probe.success === false) return `${probe.reason ?? ''}: ${cut(probe.message ?? '')}`;
  if (restart.verdict === 'unknown')
    return cut(restart.signals.find(({ says }) => says !== 'not_required')?.because ?? '');
  if (restart.verdict === 'not_required') return '-';
  const packages = restart.packages.length === 0 ? '' : ` (${restart.packages.join(', ')})`;
  return cut(`${restart.reasons.join(', ')}${packages}`);
}

function exposureWord(exposure: HostDocument['exposure']): string {
  if (exposure.basis === null) return '-';
  const open = exposure.ports.filter((port) => port.open_to === 'anywhere' && !port.ignored);
  const ports = [...new Set(open.map(({ proto, port }) => `${proto}/${port}`))];
  if (exposure.verdict === 'exposed') return ports.length === 0 ? `yes (${exposure.basis})` : cut(ports.join(' '));
  return exposure.verdict === 'not_exposed' ? 'no' : 'assumed';
}

function summary(documents: readonly HostDocument[]): string {
  const count = (urgency: HostDocument['urgency']): number => documents.filter((one) => one.urgency === urgency).length;
  const needed = documents.filter((document) => document.restart.verdict === 'required').length;
  const parts = [
    `${documents.length} ${documents.length === 1 ? 'host' : 'hosts'}`,
    `${needed} ${needed === 1 ? 'needs' : 'need'} a restart`,
    `${count('critical')} overdue`,
    `${count('unknown')} could not be told`,
  ];
  return parts.join(', ');
}

function cut(text: string): string {
  return text.length <= maxCell ? text : `${text.slice(0, maxCell - 1)}…`;
}
