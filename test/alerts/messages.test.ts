import { readFileSync } from 'node:fs';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import {
  allRoutes,
  shippedConfig,
  startAlertmanager,
  until,
  withOffice,
  type Alertmanager,
  type Config,
  type PostedAlert,
} from './alertmanager';
import { describeWith } from './programs';
import { openMailSink, openSink, type MailSink, type Sink } from './sink';

const steps = 'How to restart it well: one host of shop at a time; out of hours.';

const advice = 'What to do: restart it within a day & <!channel> tell *nobody*.';

/** An alert as Prometheus sends it, with a description of the shape that the rules write. */
function alert(host: string, severity: string, exposure: 'exposed' | 'internal'): PostedAlert {
  const alertname = exposure === 'exposed' ? 'RebootRequiredExposed' : 'RebootRequired';
  return {
    labels: { alertname, severity, exposure, host, stack: 'shop' },
    annotations: {
      summary: 'A host needs a restart.',
      description: `${host} of stack shop has needed a restart.\n${advice}\n${steps}`,
      runbook_url: `https://runbooks.example.org/${alertname}.md`,
      dashboard_path: `/d/reboot-exporter-server/server?var-stack=shop&var-host=${host}`,
    },
  };
}

/** The shipped receivers as they are, with every way out leading to the sinks. */
function towards(config: Config, sink: Sink, mails: MailSink, secrets: string): Config {
  const secret = (name: string, value: string): string => {
    const file = join(secrets, name);
    writeFileSync(file, value);
    return file;
  };
  for (const route of allRoutes(config.route)) {
    route.group_wait = '1s';
    route.group_interval = '2s';
  }
  for (const receiver of config.receivers) {
    for (const pagerduty of (receiver['pagerduty_configs'] ?? []) as Record<string, unknown>[]) {
      pagerduty['routing_key_file'] = secret('pagerduty-key', 'key');
    }
    for (const opsgenie of (receiver['opsgenie_configs'] ?? []) as Record<string, unknown>[]) {
      opsgenie['api_key_file'] = secret('opsgenie-key', 'key');
    }
  }
  return withOffice(
    {
      ...config,
      global: {
        slack_api_url_file: secret('slack-url', `${sink.url}/slack`),
        pagerduty_url: `${sink.url}/pagerduty`,
        opsgenie_api_url: `${sink.url}/opsgenie`,
        smtp_smarthost: mails.address,
        smtp_from: 'alertmanager@example.org',
        smtp_require_tls: false,
      },
    },
    true,
  );
}

interface Slack {
  channel: string;
  attachments: { title: string; text: string; color: string; fallback: string }[];
}

interface Pagerduty {
  event_action: string;
  payload: { summary: string; severity: string; custom_details: { what: string }; group: string };
  links: { href: string }[];
}

function bodies<T>(sink: Sink, path: string): readonly T[] {
  return sink.deliveries.filter((delivery) => delivery.path.startsWith(path)).map(({ body }) => JSON.parse(body) as T);
}

/** Undoes quoted-printable, in which Alertmanager sends both parts. */
function decoded(mail: string): string {
  const bytes = mail
    .replace(/=\n/g, '')
    .replace(/((?:=[0-9A-F]{2})+)/g, (run) => Buffer.from(run.replaceAll('=', ''), 'hex').toString());
  return bytes;
}

describeWith(['alertmanager'], 'The messages, sent by a real Alertmanager', () => {
  let sink: Sink;
  let mails: MailSink;
  let secrets: string;
  let alertmanager: Alertmanager | null = null;

  beforeEach(async () => {
    sink = await openSink();
    mails = await openMailSink();
    secrets = mkdtempSync(join(tmpdir(), 'reboot-secrets-'));
  });

  afterEach(async () => {
    await alertmanager?.stop();
    alertmanager = null;
    await sink.close();
    await mails.close();
    rmSync(secrets, { recursive: true });
  });

  async function send(config: Config, alerts: readonly PostedAlert[], count: number): Promise<void> {
    alertmanager ??= await startAlertmanager(towards(config, sink, mails, secrets));
    await alertmanager.post(alerts);
    await until(
      () => sink.deliveries.length + mails.mails.length >= count,
      () => `${JSON.stringify(sink.deliveries)}\n${alertmanager?.log() ?? ''}`,
    );
  }

  it('say in Slack and PagerDuty what happened to whom, with the steps once and links to follow', async () => {
    await send(shippedConfig(), [alert('web-1', 'critical', 'exposed'), alert('web-2', 'critical', 'exposed')], 2);
    const [slack] = bodies<Slack>(sink, '/slack');
    expect(slack?.channel).toBe('#shop');
    const title = '[critical] shop, web-1, web-2: A host needs a restart.';
    const about = (host: string): string =>
      `${host} of stack shop has needed a restart.\nWhat to do: restart it within a day &amp; &lt;!channel&gt; tell *nobody*.\n` +
      '<https://runbooks.example.org/RebootRequiredExposed.md|Runbook> · ' +
      `<http://localhost:3000/d/reboot-exporter-server/server?var-stack=shop&var-host=${host}|Dashboard> · ` +
      '<http://prometheus.example.org/graph?g0.expr=reboot_required|Query>\n';
    expect(slack?.attachments[0]).toMatchObject({
      title,
      fallback: title,
      color: 'danger',
      text: `${about('web-1')}\n${about('web-2')}\n${steps}\n`,
    });
    const [page] = bodies<Pagerduty>(sink, '/pagerduty');
    expect(page).toMatchObject({
      event_action: 'trigger',
      links: [{ href: 'https://runbooks.example.org/RebootRequiredExposed.md' }],
      payload: { summary: title, severity: 'critical', group: 'shop' },
    });
    expect(page?.payload.custom_details.what).toBe(
      ['web-1', 'web-2']
        .map(
          (host) =>
            `${host} of stack shop has needed a restart.\n${advice}\nRunbook: https://runbooks.example.org/RebootRequiredExposed.md\n` +
            `Dashboard: http://localhost:3000/d/reboot-exporter-server/server?var-stack=shop&var-host=${host}\n`,
        )
        .join('\n') + `\n${steps}\n`,
    );
  });

  it('wake nobody for what is not exposed: PagerDuty gets it as an error, which is less urgent', async () => {
    await send(shippedConfig(), [alert('db-1', 'critical', 'internal')], 2);
    expect(bodies<Pagerduty>(sink, '/pagerduty')[0]?.payload.severity).toBe('error');
  });

  it('stay short for a large group', async () => {
    const many = Array.from({ length: 40 }, (_, index) => alert(`web-${index + 10}`, 'warning', 'exposed'));
    await send(shippedConfig(), many, 1);
    const attachment = bodies<Slack>(sink, '/slack')[0]?.attachments[0];
    expect(attachment?.title).toBe(
      '[warning] shop, web-10, web-11, web-12, web-13, web-14 and others, 40 in all: A host needs a restart.',
    );
    expect(attachment?.color).toBe('warning');
    expect(attachment?.text.match(/has needed a restart/g)).toHaveLength(5);
    expect(attachment?.text.match(/How to restart it well/g)).toHaveLength(1);
    const further = Array.from({ length: 25 }, (_, index) => `web-${index + 15}`).join(' ');
    expect(attachment?.text).toContain(`Also: ${further} and more, 40 in all`);
  });

  it('say which hosts are done, while others remain and at the end', async () => {
    const [one, two] = [alert('web-1', 'critical', 'exposed'), alert('web-2', 'critical', 'exposed')];
    await send(shippedConfig(), [one, two], 2);
    await send(shippedConfig(), [{ ...one, resolved: true }], 4);
    const second = bodies<Slack>(sink, '/slack')[1]?.attachments[0];
    expect(second?.title).toBe('[critical] shop, web-2: A host needs a restart.');
    expect(second?.text).toContain('web-2 of stack shop has needed a restart.');
    expect(second?.text).toMatch(/No longer: web-1\s*$/);
    await send(shippedConfig(), [{ ...two, resolved: true }], 6);
    const last = bodies<Slack>(sink, '/slack')[2]?.attachments[0];
    expect(last).toMatchObject({ title: '[resolved] shop, web-2: A host needs a restart.', color: 'good' });
    expect(last?.text.trim()).toBe('Resolved: web-2');
    expect(bodies<Pagerduty>(sink, '/pagerduty').map(({ event_action }) => event_action)).toEqual([
      'trigger',
      'trigger',
      'resolve',
    ]);
  });

  it('arrive by mail as text and as HTML in which nothing from a host is markup', async () => {
    await send(shippedConfig(), [alert('db-1', 'info', 'internal')], 1);
    const mail = decoded(mails.mails[0] ?? '');
    expect(mail).toContain('Subject: [info] shop, db-1: A host needs a restart.');
    expect(mail).toContain('To: shop@example.org');
    expect(mail).toContain(
      `db-1 of stack shop has needed a restart.\n${advice}\nRunbook: https://runbooks.example.org`,
    );
    const html = mail.slice(mail.indexOf('<!DOCTYPE html>'));
    expect(html).toContain('restart it within a day &amp; &lt;!channel&gt; tell');
    expect(html).not.toContain('<!channel>');
    expect(html).toContain('<a href="https://runbooks.example.org/RebootRequired.md">Runbook</a>');
    expect(html).toContain(
      '<a href="http://localhost:3000/d/reboot-exporter-server/server?var-stack=shop&amp;var-host=db-1">Dashboard</a>',
    );
    expect(html).toContain(steps);
  });

  it('reach Opsgenie with a priority, and chats without a template of their own, from the spare receivers', async () => {
    const config = shippedConfig();
    config.route = { receiver: 'spare-opsgenie', group_by: ['exposure'] };
    await send(config, [alert('web-1', 'critical', 'exposed'), alert('db-1', 'critical', 'internal')], 2);
    const messages = bodies<{ message: string; priority: string; description: string; tags: string[] }>(
      sink,
      '/opsgenie',
    );
    expect(messages.map(({ message, priority }) => [message, priority]).sort()).toEqual([
      ['[critical] shop, db-1: A host needs a restart.', 'P2'],
      ['[critical] shop, web-1: A host needs a restart.', 'P1'],
    ]);
    expect(messages[0]?.description).toContain('of stack shop has needed a restart.');
    expect(messages[0]?.tags).toEqual(['critical', 'shop']);
  });

  it('can be written for Teams, where a blank line ends a paragraph', async () => {
    const config = shippedConfig();
    // Alertmanager before 0.26 cannot speak to Teams: the texts are tried where any text can go.
    config.route = { receiver: 'teams', group_by: ['stack'] };
    config.receivers = [
      {
        name: 'teams',
        slack_configs: [
          {
            channel: '#teams',
            title: '{{ template "reboot.teams.title" . }}',
            text: '{{ template "reboot.teams.text" . }}',
          },
        ],
      },
    ];
    await send(config, [alert('web-1', 'critical', 'exposed')], 1);
    const attachment = bodies<Slack>(sink, '/slack')[0]?.attachments[0];
    expect(attachment?.title).toBe('[critical] shop, web-1: A host needs a restart.');
    expect(attachment?.text.replace(/\n{3,}/g, '\n\n').trim()).toBe(
      [
        'web-1 of stack shop has needed a restart.',
        'What to do: restart it within a day & ?!channel? tell *nobody*.',
        '[Runbook](https://runbooks.example.org/RebootRequiredExposed.md) · ' +
          '[Dashboard](http://localhost:3000/d/reboot-exporter-server/server?var-stack=shop&var-host=web-1)',
        steps,
      ].join('\n\n'),
    );
  });

  it('name no host where an alert is about none', async () => {
    await send(
      shippedConfig(),
      [
        {
          labels: { alertname: 'RebootExporterAbsent', severity: 'critical' },
          annotations: {
            summary: 'No exporter.',
            description: 'Nobody is told.',
            runbook_url: 'https://r.example.org',
          },
        },
      ],
      2,
    );
    const attachment = bodies<Slack>(sink, '/slack')[0]?.attachments[0];
    expect(attachment?.title).toBe('[critical] No exporter.');
    expect(attachment?.text).not.toContain('Dashboard');
    expect(bodies<Pagerduty>(sink, '/pagerduty')[0]?.payload.severity).toBe('error');
  });

  it('are the same from the AlertmanagerConfig, which brings the texts along', async () => {
    const alerts = [alert('web-1', 'critical', 'exposed'), alert('db-1', 'info', 'internal')];
    await send(shippedConfig(), alerts, 3);
    const fromFiles = collected(sink, mails);
    await alertmanager?.stop();
    alertmanager = null;
    const otherSink = await openSink();
    const otherMails = await openMailSink();
    try {
      alertmanager = await startAlertmanager(towards(fromManifest(), otherSink, otherMails, secrets));
      await alertmanager.post(alerts);
      await until(
        () => otherSink.deliveries.length + otherMails.mails.length >= 3,
        () => alertmanager?.log() ?? '',
      );
      expect(collected(otherSink, otherMails)).toEqual(fromFiles);
    } finally {
      await otherSink.close();
      await otherMails.close();
    }
  });
});

/** What arrived, without what differs from one run to the next. */
function collected(sink: Sink, mails: MailSink): object {
  const [slack] = bodies<Slack>(sink, '/slack');
  const [page] = bodies<Pagerduty>(sink, '/pagerduty');
  const mail = decoded(mails.mails[0] ?? '');
  return {
    slack: slack?.attachments.map(({ title, text, color, fallback }) => ({ title, text, color, fallback })),
    page: { ...page?.payload, links: page?.links.map(({ href }) => href) },
    subject: /^Subject: .*/m.exec(mail)?.[0],
    html: mail.slice(mail.indexOf('<body'), mail.indexOf('Sent by')),
  };
}

interface Manifest {
  spec: { receivers: ({ name: string } & Record<string, Record<string, unknown>[]>)[] };
}

/** The shipped configuration with the receivers' texts of the AlertmanagerConfig, and without template files. */
function fromManifest(): Config {
  const file = resolve(__dirname, '../../alerts/alertmanagerconfig.yaml');
  const manifest = parse(readFileSync(file, 'utf8')) as Manifest;
  const config = shippedConfig();
  return { ...config, templates: [], receivers: manifest.spec.receivers.map(asReceiver) };
}

function asReceiver({ name, ...kinds }: Manifest['spec']['receivers'][number]): Config['receivers'][number] {
  const only = (config: Record<string, unknown>, keys: readonly string[]): Record<string, unknown> =>
    Object.fromEntries(keys.map((key) => [key, config[key]]));
  const pairs = (list: unknown): Record<string, string> =>
    Object.fromEntries((list as { key: string; value: string }[]).map(({ key, value }) => [key, value]));
  return {
    name,
    pagerduty_configs: (kinds['pagerdutyConfigs'] ?? []).map((config) => ({
      ...only(config, ['severity', 'description', 'group', 'class']),
      client_url: config['clientURL'],
      details: pairs(config['details']),
      links: (config['pagerDutyLinkConfigs'] as { href: string; alt: string }[]).map(({ href, alt }) => ({
        href,
        text: alt,
      })),
    })),
    slack_configs: (kinds['slackConfigs'] ?? []).map((config) =>
      only(config, ['channel', 'color', 'title', 'text', 'fallback']),
    ),
    email_configs: (kinds['emailConfigs'] ?? []).map((config) => ({
      ...only(config, ['to', 'html', 'text']),
      headers: pairs(config['headers']),
    })),
  };
}
