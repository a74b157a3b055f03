/** A label set as it is written: names are fixed in code or validated by the configuration, values are anything. */
export type Labels = Readonly<Record<string, string>>;

/** One sample of a family; the time is always that of the scrape. */
export interface Sample {
  readonly labels: Labels;
  /** Labels of this sample beside those that many share. */
  readonly more?: Labels;
  readonly value: number;
}

/** The head of a metric family. */
export interface FamilyHead {
  /** As written in the text format; a counter's ends in `_total`. */
  readonly name: string;
  readonly type: 'gauge' | 'counter' | 'histogram';
  /** Says the unit and, for values kept between probes, that they are cached. */
  readonly help: string;
}

export type ExpositionFormat = 'text' | 'openmetrics';

/**
 * `# HELP` and `# TYPE` of a family. OpenMetrics names a counter's family
 * without `_total` (OpenMetrics 1.0, "Counter"), the text format with it.
 */
export function renderHead(head: FamilyHead, format: ExpositionFormat): string {
  const name = format === 'openmetrics' && head.type === 'counter' ? head.name.replace(/_total$/, '') : head.name;
  return `# HELP ${name} ${escapeHelp(head.help, format)}\n# TYPE ${name} ${head.type}\n`;
}

/** One line. */
export function renderSample(name: string, { labels, more, value }: Sample): string {
  return `${name}${renderLabels(labels, more)} ${renderNumber(value)}\n`;
}

/** Label sets that stand in many samples, as they are written, without braces. */
const written = new WeakMap<Labels, string>();

/** Has a label set written once, however often it is rendered; it must not change any more. */
export function keepWritten(labels: Labels): Labels {
  written.set(labels, renderPairs(labels));
  return labels;
}

/** `{a="1",b="2"}`, or nothing for no labels. Both formats escape the same three characters. */
export function renderLabels(labels: Labels, more?: Labels): string {
  let pairs = written.get(labels) ?? renderPairs(labels);
  if (more !== undefined) pairs += `${pairs === '' ? '' : ','}${renderPairs(more)}`;
  return pairs === '' ? '' : `{${pairs}}`;
}

function renderPairs(labels: Labels): string {
  let pairs = '';
  for (const name in labels) pairs += `${pairs === '' ? '' : ','}${name}="${escapeValue(labels[name] ?? '')}"`;
  return pairs;
}

export function renderNumber(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (value === Infinity) return '+Inf';
  if (value === -Infinity) return '-Inf';
  return String(value);
}

function escapeValue(value: string): string {
  return /[\\"\n]/.test(value) ? value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n') : value;
}

function escapeHelp(help: string, format: ExpositionFormat): string {
  const escaped = help.replace(/\\/g, '\\\\').replace(/\n/g, '\\n');
  return format === 'openmetrics' ? escaped.replace(/"/g, '\\"') : escaped;
}
