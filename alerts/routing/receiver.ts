import { audiences, everyone, purposes, receiverName, type Purpose } from './route';

/** One way of telling somebody. Texts are names of templates in `templates/`; secrets are named, never held. */
export type Integration =
  | { readonly kind: 'pagerduty'; readonly routingKey: string }
  | { readonly kind: 'slack'; readonly channel: string }
  | { readonly kind: 'email'; readonly to: string }
  | { readonly kind: 'opsgenie'; readonly apiKey: string }
  | { readonly kind: 'webhook'; readonly url: string };

export interface Receiver {
  readonly name: string;
  readonly integrations: readonly Integration[];
}

/** The secret that holds the webhook address of Slack. */
export const slackUrlSecret = 'slack-url';

/** Where mail leaves from. */
export const mail = {
  smarthost: 'smtp.example.org:587',
  from: 'alertmanager@example.org',
  username: 'alertmanager@example.org',
  passwordSecret: 'smtp-password',
} as const;

/** The receivers that are routed to: one of each purpose for everyone, and for each stack that has its own. */
export function routedReceivers(): readonly Receiver[] {
  return audiences().flatMap((audience) =>
    purposes.map((purpose) => ({
      name: receiverName(audience, purpose),
      integrations: integrations(audience, purpose),
    })),
  );
}

/** Receivers that nothing is routed to, ready to be named in a route instead of another. */
export function spareReceivers(): readonly Receiver[] {
  return [
    { name: 'spare-opsgenie', integrations: [{ kind: 'opsgenie', apiKey: 'opsgenie-key' }] },
    { name: 'spare-webhook', integrations: [{ kind: 'webhook', url: 'http://127.0.0.1:9095/' }] },
  ];
}

function integrations(audience: string, purpose: Purpose): readonly Integration[] {
  const slack: Integration = { kind: 'slack', channel: audience === everyone ? '#reboots' : `#${audience}` };
  if (purpose === 'page') {
    return [{ kind: 'pagerduty', routingKey: `${audience}-pagerduty-key` }, slack];
  }
  if (purpose === 'chat') {
    return [slack];
  }
  return [{ kind: 'email', to: audience === everyone ? 'ops@example.org' : `${audience}@example.org` }];
}
