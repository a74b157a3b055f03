import type { Delivery } from '../alerts/sink';

/** One alert as a webhook is told of it. */
export interface NotifiedAlert {
  readonly status: 'firing' | 'resolved';
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** One message of Alertmanager's. */
export interface Notification {
  readonly receiver: string;
  readonly status: 'firing' | 'resolved';
  /** Unix time in milliseconds of its arrival. */
  readonly atMs: number;
  readonly groupLabels: Readonly<Record<string, string>>;
  readonly alerts: readonly NotifiedAlert[];
}

/** Reads what the webhook was sent: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config. */
export function notificationOf({ body, atMs }: Delivery): Notification {
  return { ...(JSON.parse(body) as Omit<Notification, 'atMs'>), atMs };
}

/** Whether it goes to somebody's pager. */
export function isPage({ receiver }: Notification): boolean {
  return receiver.endsWith('-page');
}

/** Whether it says of a host that something is so, or is so no longer. */
export function tells(host: string, status: 'firing' | 'resolved', severity?: string): (one: Notification) => boolean {
  return ({ alerts }) =>
    alerts.some(
      ({ status: own, labels }) =>
        own === status && labels['host'] === host && (severity === undefined || labels['severity'] === severity),
    );
}
