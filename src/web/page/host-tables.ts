import type { ExposureDocument, PortDocument, RestartDocument } from '../../document/host-document';
import { words } from './host-facts';
import { markup, type Content, type Html } from './markup';
import { formatCount, signalWord } from './words';

/** Most packages that are shown; the JSON names more. */
const maxPackages = 200;
/** Most ports that are shown; the JSON names all. */
const maxPorts = 300;

/** The packages that ask for the restart. */
export function renderPackages({ packages, packages_cut: isCut }: RestartDocument): Content {
  if (packages.length === 0) return null;
  const more = packages.length - maxPackages;
  const rest = isCut
    ? markup`<p class="muted">There are more: the server has more packages than are kept.</p>`
    : more > 0 && markup`<p class="muted">And ${formatCount(more)} more, which the JSON names.</p>`;
  return markup`<h2>Packages that ask for it</h2>
${words(packages.slice(0, maxPackages))}
${rest}`;
}

/** What each signal says, and what it compared. */
export function renderSignals({ signals }: RestartDocument): Content {
  if (signals.length === 0) return null;
  return markup`<h2>What each signal says</h2>
<table class="cards" role="table">
<caption class="sr">Signals</caption>
<thead role="rowgroup"><tr role="row"><th scope="col" role="columnheader">Signal</th><th scope="col" role="columnheader">Says</th><th scope="col" role="columnheader">Because</th></tr></thead>
<tbody role="rowgroup">
${signals.map(
  ({ signal, says, because }) =>
    markup`<tr role="row"><th scope="row" role="rowheader" class="short">${signal}</th><td role="cell" class="short" data-label="Says">${signalWord(says)}</td><td role="cell" data-label="Because">${because}</td></tr>\n`,
)}</tbody>
</table>`;
}

const openTo: Readonly<
  Record<PortDocument['open_to'], { readonly rank: number; readonly shape: string; readonly word: string }>
> = {
  anywhere: { rank: 0, shape: '▲', word: 'Anywhere' },
  unknown: { rank: 1, shape: '?', word: "Can't tell" },
  some: { rank: 2, shape: '◆', word: 'Some addresses' },
  none: { rank: 3, shape: '✓', word: 'Nobody' },
};

/** Every port that something listens on, who can reach it, and which rule says so. */
export function renderPorts({ ports }: ExposureDocument): Content {
  if (ports.length === 0) return null;
  const sorted = [...ports].sort((a, b) => rankOf(a) - rankOf(b) || a.port - b.port);
  const more = sorted.length - maxPorts;
  return markup`<h2>Ports</h2>
<table class="cards" role="table">
<caption class="sr">Ports, the open ones first</caption>
<thead role="rowgroup"><tr role="row"><th scope="col" role="columnheader">Port</th><th scope="col" role="columnheader">Family</th><th scope="col" role="columnheader">Open to</th><th scope="col" role="columnheader">Because</th></tr></thead>
<tbody role="rowgroup">
${sorted.slice(0, maxPorts).map(renderPort)}</tbody>
</table>
${more > 0 && markup`<p class="muted">And ${formatCount(more)} more, which the JSON names.</p>`}`;
}

function renderPort(document: PortDocument): Html {
  const { proto, port, family, because, ignored } = document;
  const { shape, word } = openTo[document.open_to];
  return markup`<tr role="row"><th scope="row" role="rowheader" class="short">${proto}/${port}</th><td role="cell" class="short" data-label="Family">${family === 'ipv4' ? 'IPv4' : 'IPv6'}</td><td role="cell" class="short" data-label="Open to"><span aria-hidden="true">${shape}</span> ${word}${ignored && ' (ignored)'}</td><td role="cell" data-label="Because">${because}</td></tr>
`;
}

function rankOf({ open_to: to, ignored }: PortDocument): number {
  return openTo[to].rank + (ignored ? 10 : 0);
}
