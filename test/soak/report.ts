import Table from 'cli-table3';
import type { KindTally } from './judge';
import type { SoakResult } from './run';

/** Most faults that are printed; all of them are in the JSON. */
const maxFaults = 40;

/** What a soak tried and what came of it, for people. */
export function soakTable(result: SoakResult): string {
  const { tally, scrape, heap } = result;
  const figures = new Table({ style: { head: [], border: [] } });
  const seconds = (value: number): string => `${value.toFixed(1)} s`;
  figures.push(
    ['seed', result.seed],
    ['hosts, minutes, kills', `${result.hosts}, ${result.seconds / 60}, ${result.kills}`],
    ['killed at', result.killsAtSeconds.map((each) => `${each} s`).join(', ')],
    ['scrapes', `${result.scrapes}, median ${scrape.median} ms, longest ${scrape.most} ms`],
    ['scrapes unanswered since other programs had the processor', result.starved.length],
    ['longest between two scrapes', seconds(result.longestSilenceSeconds)],
    ['hosts held against the truth, over all scrapes', tally.judged],
    ['not held, for the host had lied about itself', tally.liars],
    ['without values, as they should be', tally.absent],
    ['longest that a good host was not read', seconds(tally.longestGapSeconds)],
    ['longest until a host that behaved again was read', seconds(tally.longestHealSeconds)],
    ["age at most behind the host's clock", `${tally.mostBehindSeconds.toFixed(3)} s`],
    ['answers of the fleet', result.fleet.answers],
    ['longest that the fleet itself was blocked', seconds(result.fleet.longestBlockSeconds)],
    ['heap of warm exporters over all lives', `${result.acrossLives.heapMegabytesPerHour} MB/h`],
    ['resident memory of warm exporters over all lives', `${result.acrossLives.residentMegabytesPerHour} MB/h`],
  );
  const lives = new Table({
    head: ['life', 'resident, MB', 'MB/h', 'heap, MB', 'MB/h', 'external, MB', 'MB/h'],
    style: { head: [], border: [] },
  });
  for (const { lifeSeconds, resident, heap: used, external } of result.courses) {
    const columns = [resident, used, external].flatMap(({ firstMegabytes, lastMegabytes, megabytesPerHour }) => [
      `${firstMegabytes} → ${lastMegabytes}`,
      megabytesPerHour,
    ]);
    lives.push([`${lifeSeconds} s`, ...columns]);
  }
  const parts = [figures.toString(), lives.toString(), kindsTable(result.kinds as Record<string, KindTally>)];
  if (heap !== null) {
    const grown = heap.grown.map(
      ({ name, more, moreBytes, of }) => `  ${name}: ${moreBytes} bytes, ${more} more than ${of}`,
    );
    parts.push(
      `live objects: ${heap.firstMegabytes} MB, ${heap.minutesBetween.toFixed(0)} minutes later ${heap.secondMegabytes} MB; what grew:`,
      ...grown,
    );
  }
  const { faults } = result;
  parts.push(
    faults.length === 0 ? 'no faults' : `${faults.length} faults:\n  ${faults.slice(0, maxFaults).join('\n  ')}`,
  );
  return parts.join('\n');
}

function kindsTable(kinds: Readonly<Record<string, KindTally>>): string {
  const table = new Table({
    head: ['misbehaviour', 'stretches', 'right reason', 'healed', 'longest until read'],
    style: { head: [], border: [] },
  });
  for (const [name, { phases, rightReason, healed, longestHealSeconds }] of Object.entries(kinds)) {
    table.push([name, phases, rightReason, healed, `${longestHealSeconds.toFixed(1)} s`]);
  }
  return table.toString();
}
