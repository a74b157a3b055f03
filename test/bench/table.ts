import Table from 'cli-table3';
import { spreadOf } from './contest';

/** One line of a benchmark: a way of doing it, and its figures, one a round. */
export interface BenchRow {
  readonly name: string;
  readonly figures: readonly number[];
}

/**
 * A table of medians and ranges, and of how often the first row's figure each other one's is: a ratio is made of the
 * medians; beside it stands the range of the ratios of single rounds.
 */
export function comparison(unit: string, rows: readonly BenchRow[]): string {
  const table = new Table({
    head: ['', `median ${unit}`, 'least to most', 'reboot-exporter ÷ this', 'by round'],
    style: { head: [], border: [] },
  });
  const own = rows[0]?.figures ?? [];
  for (const { name, figures } of rows) {
    const { median, least, most } = spreadOf(figures);
    const ratios = spreadOf(figures.map((figure, round) => (own[round] ?? NaN) / figure));
    const isOwn = figures === own;
    table.push([
      name,
      short(median),
      `${short(least)} to ${short(most)}`,
      isOwn ? '' : short(spreadOf(own).median / median),
      isOwn ? '' : `${short(ratios.least)} to ${short(ratios.most)}`,
    ]);
  }
  return table.toString();
}

/** Three digits that count. */
export function short(figure: number): string {
  if (!Number.isFinite(figure)) return '-';
  return figure >= 100 ? figure.toFixed(0) : Number(figure.toPrecision(3)).toString();
}
