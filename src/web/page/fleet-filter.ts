import {
  answeringFilters,
  fleetParameters,
  urgencyFilters,
  type FleetQuery,
  type UrgencyFilter,
} from '../fleet-list/query';
import type { FleetSelection } from '../fleet-list/selection';
import { markup, type Content, type Html } from './markup';
import { answeringWords, urgencyWord } from './words';

/** Most stacks that a list to choose from may have; with more, the search finds them. */
const maxStacksToChoose = 500;

/** The form that narrows the list; it works by GET, so that a view can be bookmarked and sent to somebody. */
export function renderFilter({ stacks }: FleetSelection, query: FleetQuery): Html {
  const stackNames = query.stack === null || stacks.includes(query.stack) ? stacks : [query.stack, ...stacks];
  return markup`<form class="filter" method="get" action="./" role="search">
<label class="wide">Search <input type="search" name="q" value="${query.text}" placeholder="server, package, port, label, error" maxlength="200"></label>
${stackNames.length > 1 && stackNames.length <= maxStacksToChoose && choice('Stack', 'stack', stackNames, query.stack, (name) => name)}
${choice('Urgency', 'urgency', urgencyFilters, query.urgency, urgencyChoice)}
${choice('Last probe', 'answering', answeringFilters, query.answering, (name) => answeringWords[name])}
${kept(query)}<button class="main" type="submit">Filter</button>
${isNarrowed(query) && markup`<a href="./">Clear</a>`}
</form>`;
}

function urgencyChoice(filter: UrgencyFilter): string {
  if (filter === 'needed') return 'Any needed restart';
  return filter === 'none' || filter === 'unknown' ? urgencyWord(filter) : `${urgencyWord(filter)} (${filter})`;
}

function choice<T extends string>(
  label: string,
  name: string,
  values: readonly T[],
  chosen: T | null,
  wordOf: (value: T) => string,
): Content {
  const options = values.map(
    (value) => markup`<option value="${value}"${value === chosen && markup` selected`}>${wordOf(value)}</option>`,
  );
  return markup`<label>${label} <select name="${name}"><option value="">All</option>${options}</select></label>`;
}

/** What the form itself does not ask must survive it; the page does not: the filtered list begins at its first. */
function kept(query: FleetQuery): Content {
  const { exposed, sort, reversed, reload } = fleetParameters(query);
  return Object.entries({ exposed, sort, reversed, reload }).map(
    ([name, value]) => value !== undefined && markup`<input type="hidden" name="${name}" value="${value}">\n`,
  );
}

function isNarrowed(query: FleetQuery): boolean {
  return (
    query.text !== '' || query.stack !== null || query.urgency !== null || query.answering !== null || query.exposed
  );
}
