import { Document } from 'yaml';
import { officeHours } from '../settings';
import { inhibitions, type Inhibition } from './inhibition';
import { mail, routedReceivers, slackUrlSecret, spareReceivers, type Integration, type Receiver } from './receiver';
import { routingTree, type Matcher, type Route } from './route';

const header = ` Generated from alerts/routing/ by \`npm run generate\`, and ready to use. Copy it to /etc/alertmanager/alertmanager.yml
 with the folder templates/ beside it, and change the copy:
   - the receivers: addresses and channels. Secrets are read from the files named here, one secret a file;
   - the example: stack "shop" has receivers of its own. Copy its route and its receivers for each such stack, or remove them;
   - office-hours: its days, hours and location;
   - templates/site.tmpl: the address of your Grafana.
 If you have a configuration already, take into it the routes that match alertname=~"Reboot.+", the inhibit rules, the time
 interval and the receivers.
 For Alertmanager 0.25 and later.`;

/** `alertmanager.yml`, whole. */
export function renderAlertmanager(): string {
  const document = new Document(
    {
      global: {
        smtp_smarthost: mail.smarthost,
        smtp_from: mail.from,
        smtp_auth_username: mail.username,
        smtp_auth_password_file: secretFile(mail.passwordSecret),
        slack_api_url_file: secretFile(slackUrlSecret),
      },
      templates: ['templates/*.tmpl'],
      route: route(routingTree()),
      inhibit_rules: inhibitions().map(inhibitRule),
      time_intervals: [
        {
          name: officeHours.name,
          time_intervals: [
            {
              weekdays: officeHours.weekdays,
              times: officeHours.times.map(({ start, end }) => ({ start_time: start, end_time: end })),
              location: officeHours.location,
            },
          ],
        },
      ],
      receivers: [...routedReceivers(), ...spareReceivers()].map(receiver),
    },
    // Alertmanager reads YAML 1.1, in which 09:00 without quotes may be a number.
    { aliasDuplicateObjects: false, version: '1.1' },
  );
  document.commentBefore = header;
  return document.toString({ lineWidth: 0 });
}

function secretFile(name: string): string {
  return `/etc/alertmanager/secrets/${name}`;
}

/** Values are quoted and escaped as the matcher grammars of all versions read them. */
export function matcherText({ label, operator, value }: Matcher): string {
  return `${label}${operator}${JSON.stringify(value)}`;
}

function route(node: Route): object {
  return {
    ...(node.matchers.length > 0 && { matchers: node.matchers.map(matcherText) }),
    receiver: node.receiver,
    ...(node.groupBy && { group_by: node.groupBy }),
    ...(node.groupWait && { group_wait: node.groupWait }),
    ...(node.groupInterval && { group_interval: node.groupInterval }),
    ...(node.repeatInterval && { repeat_interval: node.repeatInterval }),
    ...(node.activeTimeIntervals && { active_time_intervals: node.activeTimeIntervals }),
    ...(node.routes && { routes: node.routes.map(route) }),
  };
}

function inhibitRule(rule: Inhibition): object {
  return {
    source_matchers: rule.source.map(matcherText),
    target_matchers: rule.target.map(matcherText),
    ...(rule.equal.length > 0 && { equal: rule.equal }),
  };
}

function receiver({ name, integrations }: Receiver): object {
  const configs: Record<string, object[]> = {};
  for (const integration of integrations) {
    (configs[`${integration.kind}_configs`] ??= []).push(integrationConfig(integration));
  }
  return { name, ...configs };
}

function integrationConfig(integration: Integration): object {
  switch (integration.kind) {
    case 'pagerduty':
      return {
        routing_key_file: secretFile(integration.routingKey),
        severity: '{{ template "reboot.pagerduty.severity" . }}',
        description: '{{ template "reboot.pagerduty.description" . }}',
        group: '{{ .CommonLabels.stack }}',
        class: '{{ .CommonLabels.alertname }}',
        client_url: '{{ .ExternalURL }}',
        details: { what: '{{ template "reboot.text" . }}' },
        links: [{ href: '{{ .CommonAnnotations.runbook_url }}', text: 'Runbook' }],
      };
    case 'slack':
      return {
        channel: integration.channel,
        send_resolved: true,
        color: '{{ template "reboot.slack.color" . }}',
        title: '{{ template "reboot.slack.title" . }}',
        text: '{{ template "reboot.slack.text" . }}',
        fallback: '{{ template "reboot.slack.title" . }}',
      };
    case 'email':
      return {
        to: integration.to,
        headers: { Subject: '{{ template "reboot.email.subject" . }}' },
        html: '{{ template "reboot.email.html" . }}',
        text: '{{ template "reboot.title" . }}\n\n{{ template "reboot.text" . }}',
      };
    case 'opsgenie':
      return {
        api_key_file: secretFile(integration.apiKey),
        message: '{{ template "reboot.opsgenie.message" . }}',
        description: '{{ template "reboot.text" . }}',
        priority: '{{ template "reboot.opsgenie.priority" . }}',
        entity: '{{ .CommonLabels.stack }}',
        tags: '{{ .CommonLabels.severity }},{{ .CommonLabels.stack }}',
      };
    case 'webhook':
      return { url: integration.url, send_resolved: true };
  }
}
