import { stringify } from 'yaml';
import { manifestNamespace, officeHours } from '../settings';
import { inhibitions, type Inhibition } from './inhibition';
import { mail, routedReceivers, slackUrlSecret, type Integration, type Receiver } from './receiver';
import { routingTree, type Matcher, type Route } from './route';
import { selfContained, type TemplateTexts } from './template-text';

const secretName = 'reboot-exporter-receivers';

const header = `# Generated from alerts/routing/ by \`npm run generate\`. For the Prometheus operator, with its default strategy OnNamespace:
# it adds the matcher namespace="${manifestNamespace}", which the alerts of prometheusrule.yaml carry as a label.
# Secrets are read from the Secret "${secretName}" in the same namespace. Times are UTC: this version of the resource has no location.
# Message texts are in here whole, because this resource cannot bring template files along; the first definition of
# reboot.grafana_url is the address of your Grafana.
`;

/** The same routes, inhibitions and receivers as an AlertmanagerConfig of the Prometheus operator. */
export function renderAlertmanagerConfig(templates: TemplateTexts): string {
  const manifest = {
    apiVersion: 'monitoring.coreos.com/v1alpha1',
    kind: 'AlertmanagerConfig',
    metadata: {
      name: 'reboot-exporter',
      namespace: manifestNamespace,
      labels: { 'app.kubernetes.io/name': 'reboot-exporter' },
    },
    spec: {
      route: route(routingTree()),
      inhibitRules: inhibitions().map(inhibitRule),
      muteTimeIntervals: [
        {
          name: officeHours.name,
          timeIntervals: [
            {
              weekdays: officeHours.weekdays,
              times: officeHours.times.map(({ start, end }) => ({ startTime: start, endTime: end })),
            },
          ],
        },
      ],
      receivers: routedReceivers().map((each) => receiver(each, templates)),
    },
  };
  return header + stringify(manifest, { lineWidth: 0, aliasDuplicateObjects: false, version: '1.1' });
}

function matcher({ label, operator, value }: Matcher): object {
  return { name: label, value, matchType: operator };
}

function route(node: Route): object {
  return {
    ...(node.matchers.length > 0 && { matchers: node.matchers.map(matcher) }),
    receiver: node.receiver,
    ...(node.groupBy && { groupBy: node.groupBy }),
    ...(node.groupWait && { groupWait: node.groupWait }),
    ...(node.groupInterval && { groupInterval: node.groupInterval }),
    ...(node.repeatInterval && { repeatInterval: node.repeatInterval }),
    ...(node.activeTimeIntervals && { activeTimeIntervals: node.activeTimeIntervals }),
    ...(node.routes && { routes: node.routes.map(route) }),
  };
}

function inhibitRule(rule: Inhibition): object {
  return {
    sourceMatch: rule.source.map(matcher),
    targetMatch: rule.target.map(matcher),
    ...(rule.equal.length > 0 && { equal: rule.equal }),
  };
}

function receiver({ name, integrations }: Receiver, templates: TemplateTexts): object {
  const keys = {
    pagerduty: 'pagerdutyConfigs',
    slack: 'slackConfigs',
    email: 'emailConfigs',
    opsgenie: 'opsgenieConfigs',
    webhook: 'webhookConfigs',
  };
  const configs: Record<string, object[]> = {};
  for (const integration of integrations) {
    (configs[keys[integration.kind]] ??= []).push(integrationConfig(integration, templates));
  }
  return { name, ...configs };
}

function secret(key: string): object {
  return { name: secretName, key };
}

function integrationConfig(integration: Integration, templates: TemplateTexts): object {
  const text = (name: string): string => selfContained(templates, name);
  switch (integration.kind) {
    case 'pagerduty':
      return {
        routingKey: secret(integration.routingKey),
        sendResolved: true,
        severity: text('reboot.pagerduty.severity'),
        description: text('reboot.pagerduty.description'),
        group: '{{ .CommonLabels.stack }}',
        class: '{{ .CommonLabels.alertname }}',
        clientURL: '{{ .ExternalURL }}',
        details: [{ key: 'what', value: text('reboot.text') }],
        pagerDutyLinkConfigs: [{ href: '{{ .CommonAnnotations.runbook_url }}', alt: 'Runbook' }],
      };
    case 'slack':
      return {
        apiURL: secret(slackUrlSecret),
        channel: integration.channel,
        sendResolved: true,
        color: text('reboot.slack.color'),
        title: text('reboot.slack.title'),
        text: text('reboot.slack.text'),
        fallback: text('reboot.slack.title'),
      };
    case 'email':
      return {
        to: integration.to,
        from: mail.from,
        smarthost: mail.smarthost,
        authUsername: mail.username,
        authPassword: secret(mail.passwordSecret),
        headers: [{ key: 'Subject', value: text('reboot.email.subject') }],
        html: text('reboot.email.html'),
        text: text('reboot.text'),
      };
    case 'opsgenie':
      return {
        apiKey: secret(integration.apiKey),
        sendResolved: true,
        message: text('reboot.opsgenie.message'),
        description: text('reboot.text'),
        priority: text('reboot.opsgenie.priority'),
      };
    case 'webhook':
      return { url: integration.url, sendResolved: true };
  }
}
