import { officeHours, stacksWithOwnReceivers } from '../settings';

/** A condition on one label, as both Alertmanager's own configuration and the operator's manifest can say it. */
export interface Matcher {
  readonly label: string;
  readonly operator: '=' | '!=' | '=~' | '!~';
  readonly value: string;
}

/** A node of the routing tree; what is absent is inherited from the parent. Durations as Alertmanager writes them. */
export interface Route {
  readonly matchers: readonly Matcher[];
  readonly receiver: string;
  readonly groupBy?: readonly string[];
  readonly groupWait?: string;
  readonly groupInterval?: string;
  readonly repeatInterval?: string;
  readonly activeTimeIntervals?: readonly string[];
  readonly routes?: readonly Route[];
}

/** What a receiver is for; a stack with receivers of its own has one of each. */
export const purposes = ['page', 'chat', 'notices'] as const;

export type Purpose = (typeof purposes)[number];

/** Who gets what if its stack has no receivers of its own. */
export const everyone = 'reboot';

/** Every prefix of receivers: the general one, and the stacks that have their own. */
export function audiences(): readonly string[] {
  return [everyone, ...stacksWithOwnReceivers];
}

export function receiverName(audience: string, purpose: Purpose): string {
  return `${audience}-${purpose}`;
}

function is(label: string, value: string): Matcher {
  return { label, operator: '=', value };
}

/** Every alert of this exporter, by the prefix of its name. */
export const ofThisExporter: Matcher = { label: 'alertname', operator: '=~', value: 'Reboot.+' };

/**
 * The tree: by stack, then by severity. The groups keep one stack's hosts
 * together, so that whoever is told restarts them one at a time.
 */
export function routingTree(): Route {
  return {
    matchers: [],
    receiver: receiverName(everyone, 'chat'),
    groupBy: ['stack', 'alertname'],
    groupWait: '30s',
    groupInterval: '5m',
    repeatInterval: '1d',
    routes: [
      ...stacksWithOwnReceivers.map((stack) => audienceRoute(stack, [ofThisExporter, is('stack', stack)])),
      audienceRoute(everyone, [ofThisExporter]),
    ],
  };
}

function audienceRoute(audience: string, matchers: readonly Matcher[]): Route {
  return {
    matchers,
    receiver: receiverName(audience, 'chat'),
    routes: [
      {
        matchers: [is('severity', 'critical')],
        receiver: receiverName(audience, 'page'),
        // Apart by exposure: an exposed host that joined an open, less urgent incident would page nobody.
        groupBy: ['stack', 'severity', 'exposure'],
        ...atOnce,
        repeatInterval: '12h',
      },
      {
        matchers: [is('alertname', 'RebootRequiredExposed')],
        receiver: receiverName(audience, 'chat'),
        groupBy: ['stack', 'severity'],
        ...atOnce,
      },
      {
        matchers: [is('severity', 'warning')],
        receiver: receiverName(audience, 'chat'),
      },
      {
        matchers: [is('severity', 'info')],
        receiver: receiverName(audience, 'notices'),
        groupWait: '5m',
        groupInterval: '1h',
        // Less than the five days for which Alertmanager remembers by default what it has sent.
        repeatInterval: '4d',
        activeTimeIntervals: [officeHours.name],
      },
    ],
  };
}

/** A few seconds are enough for the alerts of one evaluation, so that what inhibits and what is inhibited arrive together. */
const atOnce = { groupWait: '3s', groupInterval: '1m' } as const;
