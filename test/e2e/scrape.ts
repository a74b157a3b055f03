import { seen } from '../secrets/seen';

/** One line of an exposition, as Prometheus' text format 0.0.4 writes it. */
export interface ScrapedSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

type Labels = Readonly<Record<string, string>>;

/** What an exporter answered to one scrape. */
export class Scrape {
  private readonly byName = new Map<string, ScrapedSample[]>();

  constructor(
    readonly text: string,
    /** Unix time in milliseconds before the request and after the answer. */
    readonly begunMs: number,
    readonly endedMs: number,
  ) {
    for (const sample of parseExposition(text)) {
      const all = this.byName.get(sample.name);
      if (all === undefined) this.byName.set(sample.name, [sample]);
      else all.push(sample);
    }
  }

  /** Every sample of a name whose labels include these. */
  all(name: string, labels: Labels = {}): ScrapedSample[] {
    const wanted = Object.entries(labels);
    return (this.byName.get(name) ?? []).filter((sample) =>
      wanted.every(([key, value]) => sample.labels[key] === value),
    );
  }

  /** The value of the only such sample; undefined when there is none. @throws Error when there are several. */
  value(name: string, labels: Labels = {}): number | undefined {
    const found = this.all(name, labels);
    if (found.length > 1) throw new Error(`${found.length} samples of ${name}${JSON.stringify(labels)}`);
    return found[0]?.value;
  }

  /** The values of one label over such samples, sorted. */
  labelValues(name: string, label: string, labels: Labels = {}): string[] {
    return this.all(name, labels)
      .map((sample) => sample.labels[label] ?? '')
      .sort();
  }

  /** Every line about a host whose metric's name passes the filter, sorted. */
  linesOf(host: string, wanted: (metric: string) => boolean): string[] {
    return [...this.byName.values()]
      .flat()
      .filter((sample) => sample.labels['host'] === host && wanted(sample.name))
      .map((sample) => `${sample.name}${JSON.stringify(sample.labels)} ${sample.value}`)
      .sort();
  }
}

/** Scrapes in the text format. @throws Error when there is no whole answer. */
export async function scrape(url: string): Promise<Scrape> {
  const begunMs = Date.now();
  const response = await fetch(url, { signal: AbortSignal.timeout(10_000) });
  const text = await response.text();
  seen('metrics', text);
  if (response.status !== 200) throw new Error(`${url} answered ${response.status}: ${text}`);
  return new Scrape(text, begunMs, Date.now());
}

/** Reads the text format. @throws Error at a line that is not of it. */
export function parseExposition(text: string): ScrapedSample[] {
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map(parseLine);
}

function parseLine(line: string): ScrapedSample {
  const name = /^[a-zA-Z_:][a-zA-Z0-9_:]*/.exec(line)?.[0] ?? '';
  const { labels, end } =
    line[name.length] === '{' ? parseLabels(line, name.length + 1) : { labels: {}, end: name.length };
  const value = line.slice(end).trim();
  if (name === '' || !/^(NaN|[+-]Inf|[+-]?[0-9.]+([eE][+-]?[0-9]+)?)$/.test(value))
    throw new Error(`no sample: ${line}`);
  return { name, labels, value: Number(value.replace('Inf', 'Infinity')) };
}

function parseLabels(line: string, start: number): { labels: Labels; end: number } {
  const labels: Record<string, string> = {};
  let at = start;
  while (line[at] !== '}') {
    const equals = line.indexOf('="', at);
    if (equals === -1) throw new Error(`no labels: ${line}`);
    const name = line.slice(at, equals);
    let value = '';
    for (at = equals + 2; line[at] !== '"'; at++) {
      if (at >= line.length) throw new Error(`no end of a label: ${line}`);
      if (line[at] === '\\') value += line[++at] === 'n' ? '\n' : line[at];
      else value += line[at];
    }
    if (name in labels) throw new Error(`a label twice: ${line}`);
    labels[name] = value;
    at += line[at + 1] === ',' ? 2 : 1;
  }
  return { labels, end: at + 1 };
}
