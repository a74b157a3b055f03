import type { HostDocument } from '../../document/host-document';
import type { HostDigest } from '../fleet-list/digest';
import { fleetQueryString, type FleetQuery, type SortKey } from '../fleet-list/query';
import { markup, type Content, type Html } from './markup';
import { distanceInWords, momentInWords, shortLength } from './time-words';
import { exposureWord, openPorts, restartingShape, urgencyBadge, whyInBrief } from './words';

/** One host of the list: what it was sorted by, and all that is known. */
export interface FleetRow {
  readonly digest: HostDigest;
  readonly document: HostDocument;
}

const columns: readonly { readonly sort: SortKey; readonly title: string }[] = [
  { sort: 'host', title: 'Server' },
  { sort: 'urgency', title: 'Restart' },
  { sort: 'age', title: 'Needed for' },
  { sort: 'exposure', title: 'Open to the internet' },
  { sort: 'stack', title: 'Stack' },
];

/** The hosts of one page. Roles are spelt out because narrow screens show the rows as cards, which ends a table's own. */
export function renderTable(rows: readonly FleetRow[], query: FleetQuery, nowMs: number): Html {
  return markup`<table class="cards" role="table">
<caption class="sr">Servers</caption>
<thead role="rowgroup"><tr role="row">${columns.map(({ sort, title }) => header(sort, title, query))}<th scope="col" role="columnheader">Why, or what is wrong</th>${header('probe', 'Last probe', query)}</tr></thead>
<tbody role="rowgroup">
${rows.map((row) => renderRow(row, query, nowMs))}</tbody>
</table>`;
}

function header(sort: SortKey, title: string, query: FleetQuery): Html {
  const isSorted = query.sort === sort;
  const to: FleetQuery = { ...query, sort, reversed: isSorted && !query.reversed, page: 1 };
  const direction = query.reversed ? 'descending' : 'ascending';
  return markup`<th scope="col" role="columnheader"${isSorted && markup` aria-sort="${direction}"`}><a href="./${fleetQueryString(to)}">${title}</a>${isSorted && markup` <span aria-hidden="true">${query.reversed ? '▴' : '▾'}</span>`}</th>`;
}

function renderRow({ digest, document }: FleetRow, query: FleetQuery, nowMs: number): Html {
  const { host, stack, restart, urgency, probe } = document;
  const stackQuery = fleetQueryString({ ...query, stack, page: 1 });
  const age = restart.verdict === 'required' && restart.age_seconds !== null ? shortLength(restart.age_seconds) : null;
  const why = renderWhy(document);
  return markup`<tr role="row"><th scope="row" role="rowheader"><a href="hosts/${encodeURIComponent(host)}">${host}</a></th><td role="cell" class="short">${urgencyBadge(urgency)}${
    digest.answering === 'restarting' && markup` <span class="badge unknown">${restartingShape} Restarting</span>`
  }</td>${cell('Needed for', 'short', age === null ? null : markup`<span title="since ${restart.since ?? ''}">${age}</span>`)}${cell(
    'Open to the internet',
    '',
    renderExposure(document),
  )}${cell('Stack', 'name', markup`<a href="./${stackQuery}">${stack}</a>`)}${cell('Why', 'brief', why)}${cell(
    'Last probe',
    'short',
    probe.at === null
      ? 'not yet'
      : markup`<time datetime="${probe.at}" title="${momentInWords(probe.at)}">${distanceInWords(probe.at, nowMs, shortLength)}</time>`,
  )}</tr>
`;
}

function cell(label: string, name: string, content: Content): Html {
  const isEmpty = content === null || content === '';
  const classes = [name, isEmpty ? 'empty-cell' : ''].filter((word) => word !== '').join(' ');
  return markup`<td role="cell" data-label="${label}"${classes !== '' && markup` class="${classes}"`}>${isEmpty ? markup`<span class="muted">–</span>` : content}</td>`;
}

/** Ports that a row names; the page of the host names all. */
const portsInRow = 3;

function renderExposure({ exposure }: HostDocument): Content {
  const ports = openPorts(exposure);
  const more = ports.length > portsInRow ? ` and ${ports.length - portsInRow} more` : '';
  const named = ports.length === 0 ? '' : `: ${ports.slice(0, portsInRow).join(', ')}${more}`;
  return markup`<span title="${exposure.because}">${exposureWord(exposure)}${named}</span>`;
}

/** Characters of foreign text that a row shows. */
const maxWhy = 160;

function renderWhy(document: HostDocument): Content {
  const { probe } = document;
  const why = cut(whyInBrief(document));
  if (probe.success !== false || probe.restarting) return why;
  return markup`<strong>No answer (${probe.reason}):</strong> ${cut(probe.message ?? '')}${why !== '' && markup`<br>${why}`}`;
}

function cut(text: string): string {
  return text.length <= maxWhy ? text : `${text.slice(0, maxWhy - 1)}…`;
}
