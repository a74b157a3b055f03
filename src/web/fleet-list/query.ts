import type { Urgency } from '../../policy/urgency';
import type { Answering } from './digest';

/** What a list may be narrowed to by urgency; `needed` is every needed restart, however urgent. */
export const urgencyFilters = ['needed', 'critical', 'warning', 'info', 'unknown', 'none'] as const;
export type UrgencyFilter = (typeof urgencyFilters)[number];

/** What a list may be narrowed to by the last probe. */
export const answeringFilters = ['no', 'restarting', 'not_yet', 'yes'] as const satisfies readonly Answering[];

export const sortKeys = ['urgency', 'host', 'stack', 'age', 'exposure', 'probe'] as const;
export type SortKey = (typeof sortKeys)[number];

/** What the reader of the fleet's page asked for. */
export interface FleetQuery {
  /** Words that must all be found in a host. */
  readonly text: string;
  readonly stack: string | null;
  readonly urgency: UrgencyFilter | null;
  readonly answering: Answering | null;
  readonly exposed: boolean;
  readonly sort: SortKey;
  readonly reversed: boolean;
  /** Counts from 1. */
  readonly page: number;
  /** Whether the browser loads the page again by itself. */
  readonly reloads: boolean;
}

export const plainQuery: FleetQuery = {
  text: '',
  stack: null,
  urgency: null,
  answering: null,
  exposed: false,
  sort: 'urgency',
  reversed: false,
  page: 1,
  reloads: true,
};

const maxTextLength = 200;

/** Reads the parameters of a URL; what can't be understood counts as not given. */
export function readFleetQuery(parameters: Readonly<Record<string, unknown>>): FleetQuery {
  const text = (name: string): string => {
    const value = parameters[name];
    return typeof value === 'string' ? value : '';
  };
  const page = /^[1-9][0-9]{0,5}$/.test(text('page')) ? Number(text('page')) : 1;
  return {
    text: text('q').trim().slice(0, maxTextLength),
    stack: text('stack') === '' ? null : text('stack'),
    urgency: oneOf(urgencyFilters, text('urgency')),
    answering: oneOf(answeringFilters, text('answering')),
    exposed: text('exposed') === '1',
    sort: oneOf(sortKeys, text('sort')) ?? 'urgency',
    reversed: text('reversed') === '1',
    page,
    reloads: text('reload') !== '0',
  };
}

/** The query as parameters of a URL, without what is as by default; a link to the page is `./` and this. */
export function fleetQueryString(query: FleetQuery): string {
  const parameters = new URLSearchParams(fleetParameters(query)).toString();
  return parameters === '' ? '' : `?${parameters}`;
}

/** The parameters of a query, for a link or for a form's hidden fields. */
export function fleetParameters(query: FleetQuery): Record<string, string> {
  const parameters: Record<string, string> = {};
  if (query.text !== '') parameters['q'] = query.text;
  if (query.stack !== null) parameters['stack'] = query.stack;
  if (query.urgency !== null) parameters['urgency'] = query.urgency;
  if (query.answering !== null) parameters['answering'] = query.answering;
  if (query.exposed) parameters['exposed'] = '1';
  if (query.sort !== 'urgency') parameters['sort'] = query.sort;
  if (query.reversed) parameters['reversed'] = '1';
  if (query.page !== 1) parameters['page'] = String(query.page);
  if (!query.reloads) parameters['reload'] = '0';
  return parameters;
}

/** Whether an urgency is among those that a filter asks for. */
export function isAsked(filter: UrgencyFilter | null, urgency: Urgency): boolean {
  if (filter === null) return true;
  if (filter === 'needed') return urgency === 'info' || urgency === 'warning' || urgency === 'critical';
  return filter === urgency;
}

function oneOf<T extends string>(words: readonly T[], text: string): T | null {
  return words.find((word) => word === text) ?? null;
}
