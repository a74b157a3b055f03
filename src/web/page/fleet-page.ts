import type { StackPolicy } from '../../policy/policy';
import { fleetQueryString, type FleetQuery, type UrgencyFilter } from '../fleet-list/query';
import { hostsPerPage, type FleetSelection } from '../fleet-list/selection';
import { renderFilter } from './fleet-filter';
import { renderTable, type FleetRow } from './fleet-table';
import { markup, type Content, type Html } from './markup';
import { renderPage } from './layout';
import { limitsInWords, renderWindow, type WindowTimes } from './stack-words';
import { answeringWords, formatCount, serverCount, urgencyMeaning, urgencyWord } from './words';

/** Seconds after which the list loads again. */
const reloadSeconds = 60;

/** Everything that the page of the fleet shows. */
export interface FleetPageInput {
  readonly selection: FleetSelection;
  readonly rows: readonly FleetRow[];
  readonly query: FleetQuery;
  /** Of the stack that the query names; null where it names none. */
  readonly stack: { readonly policy: StackPolicy; readonly window: WindowTimes | null } | null;
  readonly nowMs: number;
}

/** The fleet: what needs somebody, how many, and a page of hosts. */
export function renderFleetPage(input: FleetPageInput): string {
  const { selection, query } = input;
  return renderPage({
    title: `${headline(selection)} · reboot-exporter`,
    root: './',
    reloadSeconds: query.reloads ? reloadSeconds : null,
    body: selection.total === 0 ? renderNoInventory() : renderFleet(input),
  });
}

function renderNoInventory(): Content {
  return markup`<h1>No servers yet</h1>
<p>The inventory is empty. Name servers under <code>hosts:</code> in the configuration, then reload it.</p>`;
}

function renderFleet({ selection, rows, query, stack, nowMs }: FleetPageInput): Content {
  return markup`<h1>${headline(selection)}</h1>
<p class="lead">${subline(selection)}</p>
${stack !== null && query.stack !== null && renderStack(stack, query.stack, nowMs)}${renderTiles(selection, query)}
${renderFilter(selection, query)}
${rows.length === 0 ? renderNoMatch(selection, query) : renderTable(rows, query, nowMs)}
${renderState(selection, query)}
${renderPager(selection, query)}`;
}

function renderStack({ policy, window }: NonNullable<FleetPageInput['stack']>, name: string, nowMs: number): Html {
  return markup`<p>${limitsInWords(policy, 'exposed', name)} ${limitsInWords(policy, 'internal', name)}</p>
<p>Maintenance window: ${renderWindow(window, nowMs)}.</p>
`;
}

function headline({ counts }: FleetSelection): string {
  const { critical, warning, info, unknown } = counts.urgency;
  const needed = critical + warning + info;
  if (needed === 0) return unknown === 0 ? 'Nothing needs a restart' : 'Nothing is known to need a restart';
  const overdue = critical === 0 ? '' : `, ${formatCount(critical)} ${critical === 1 ? 'is' : 'are'} overdue`;
  return `${serverCount(needed)} ${needed === 1 ? 'needs' : 'need'} a restart${overdue}`;
}

function subline({ counts, total }: FleetSelection): string {
  const parts = [
    counts.all === total ? serverCount(total) : `${formatCount(counts.all)} of ${serverCount(total)} match the filter`,
  ];
  if (counts.neededAndExposed > 0) {
    const count = counts.neededAndExposed;
    parts.push(`${formatCount(count)} of those that need it ${count === 1 ? 'is' : 'are'} reachable from the internet`);
  }
  if (counts.answering.not_yet > 0) parts.push(`${formatCount(counts.answering.not_yet)} not probed yet`);
  if (counts.urgency.none === counts.all) parts.push('every one of them runs what is installed');
  return `${parts.join('; ')}.`;
}

function renderTiles({ counts }: FleetSelection, query: FleetQuery): Html {
  const base: FleetQuery = { ...query, urgency: null, answering: null, exposed: false, page: 1 };
  const { urgency, answering } = counts;
  const tile = (name: string, count: number, word: string, meaning: string, to: FleetQuery, isCurrent: boolean): Html =>
    markup`<li><a class="${name}" href="./${fleetQueryString(to)}" title="${meaning}"${isCurrent && markup` aria-current="true"`}><strong>${formatCount(count)}</strong> ${word}</a></li>\n`;
  const byUrgency = (['critical', 'warning', 'info', 'unknown', 'none'] as const).map((name) =>
    tile(
      name,
      urgency[name],
      urgencyWord(name),
      urgencyMeaning(name),
      { ...base, urgency: name },
      query.urgency === name,
    ),
  );
  const byAnswering = (['no', 'restarting'] as const)
    .filter((name) => answering[name] > 0 || query.answering === name)
    .map((name) =>
      tile(
        '',
        answering[name],
        answeringWords[name],
        'as of the last probe',
        { ...base, answering: name },
        query.answering === name,
      ),
    );
  const isAll = query.urgency === null && query.answering === null && !query.exposed;
  return markup`<nav aria-label="Counts"><ul class="tiles">
${byUrgency}${byAnswering}${tile('', counts.all, 'All', 'every server', base, isAll)}</ul></nav>`;
}

/** What is said where nobody needs to do anything. */
const nothingOf: Readonly<Partial<Record<UrgencyFilter, string>>> = {
  needed: 'Nothing needs a restart.',
  critical: 'No restart is overdue.',
  warning: 'No restart is due.',
  info: 'No restart is waiting for its time.',
  unknown: 'Of every server it is known whether it needs a restart.',
};

function renderNoMatch({ counts, total }: FleetSelection, query: FleetQuery): Html {
  const all = markup`<a href="./">Show all ${serverCount(total)}</a>`;
  const good =
    query.answering === null && !query.exposed && counts.all > 0 ? nothingOf[query.urgency ?? 'none'] : undefined;
  if (good !== undefined) return markup`<div class="empty"><p><strong>${good}</strong></p><p>${all}</p></div>`;
  return markup`<div class="empty"><p><strong>No server matches this filter.</strong></p><p>${all}</p></div>`;
}

function renderState(selection: FleetSelection, query: FleetQuery): Html {
  const from = (selection.page - 1) * hostsPerPage + 1;
  const range =
    selection.matching === 0
      ? ''
      : `${formatCount(from)} to ${formatCount(from + selection.hosts.length - 1)} of ${serverCount(selection.matching)}`;
  const toggle = fleetQueryString({ ...query, page: selection.page, reloads: !query.reloads });
  return markup`<div class="state"><span>${range}</span><span>${
    query.reloads
      ? markup`Loads again every minute. <a href="./${toggle}">Stop that</a>`
      : markup`Does not load again by itself. <a href="./${toggle}">Do so every minute</a>`
  }</span></div>`;
}

function renderPager({ page, pages }: FleetSelection, query: FleetQuery): Content {
  if (pages === 1) return null;
  const to = (target: number, word: string, rel: string): Content =>
    target >= 1 && target <= pages && target !== page
      ? markup`<a href="./${fleetQueryString({ ...query, page: target })}"${rel !== '' && markup` rel="${rel}"`}>${word}</a>\n`
      : markup`<span class="muted">${word}</span>\n`;
  return markup`<nav class="pager" aria-label="Pages">
${to(1, 'First', '')}${to(page - 1, 'Previous', 'prev')}<span>Page ${formatCount(page)} of ${formatCount(pages)}</span>
${to(page + 1, 'Next', 'next')}${to(pages, 'Last', '')}</nav>`;
}
