import {
  pause,
  shippedConfig,
  startAlertmanager,
  until,
  withOffice,
  withWebhooks,
  type Alertmanager,
} from './alertmanager';
import { describeWith } from './programs';
import type { Labels } from './rule-case';
import { openSink, type Sink } from './sink';

/** What was sent so far as firing: `receiver name severity host stack` of each alert, sorted, each once. */
function sent(sink: Sink): readonly string[] {
  const lines = sink.deliveries.flatMap(({ path, body }) => {
    const { alerts } = JSON.parse(body) as { alerts: { status: string; labels: Labels }[] };
    return alerts
      .filter(({ status }) => status === 'firing')
      .map(({ labels }) => [path.slice(1), ...short(labels)].join(' '));
  });
  return [...new Set(lines)].sort();
}

function short(labels: Labels): readonly string[] {
  return ['alertname', 'severity', 'host', 'stack'].map((name) => labels[name] ?? '-');
}

/** Labels of an alert of stack shop from a short form: name, severity. */
function alert(host: string, alertname: string, severity: string): { labels: Labels } {
  const exposure = { RebootRequired: 'internal', RebootRequiredExposed: 'exposed' }[alertname];
  return { labels: { alertname, severity, host, stack: 'shop', ...(exposure && { exposure }) } };
}

/** For each case a host, what fires for it, and what of that is sent. */
const cases: readonly (readonly [host: string, firing: readonly string[], told: readonly string[]])[] = [
  [
    'grown-1',
    ['RebootRequiredExposed info', 'RebootRequiredExposed warning', 'RebootRequiredExposed critical'],
    ['shop-page RebootRequiredExposed critical'],
  ],
  ['grown-2', ['RebootRequired info', 'RebootRequired warning'], ['shop-chat RebootRequired warning']],
  ['grown-3', ['RebootRequired info'], ['shop-notices RebootRequired info']],
  [
    'other-1',
    ['RebootRequired critical', 'RebootPatchingOff warning', 'RebootStillRequired warning', 'RebootStateUnknown info'],
    ['shop-page RebootRequired critical'],
  ],
  [
    'gone-1',
    [
      'RebootHostUnreachable warning',
      'RebootRequiredExposed critical',
      'RebootRequiredExposed warning',
      'RebootRequiredExposed info',
      'RebootStateStale warning',
      'RebootPatchingOff warning',
    ],
    ['shop-chat RebootHostUnreachable warning'],
  ],
  ['gone-2', ['RebootHostUnreachable warning', 'RebootRequired critical'], ['shop-chat RebootHostUnreachable warning']],
  [
    'gone-3',
    ['RebootHostUnreachable warning', 'RebootHostKeyChanged warning'],
    ['shop-chat RebootHostKeyChanged warning', 'shop-chat RebootHostUnreachable warning'],
  ],
  [
    'unreadable-1',
    ['RebootHostKeyChanged warning', 'RebootRequiredExposed critical', 'RebootStateStale warning'],
    ['shop-chat RebootHostKeyChanged warning', 'shop-page RebootRequiredExposed critical'],
  ],
  [
    'unreadable-2',
    ['RebootProbeFailing warning', 'RebootRequired critical', 'RebootStateStale warning'],
    ['shop-chat RebootProbeFailing warning', 'shop-page RebootRequired critical'],
  ],
  [
    'unreadable-3',
    ['RebootStateStale warning', 'RebootStateUnknown info', 'RebootRequired critical'],
    ['shop-chat RebootStateStale warning', 'shop-page RebootRequired critical'],
  ],
];

describeWith(['alertmanager'], 'Inhibition, by a real Alertmanager', () => {
  let sink: Sink;
  let alertmanager: Alertmanager;

  beforeAll(async () => {
    sink = await openSink();
    alertmanager = await startAlertmanager(withOffice(withWebhooks(shippedConfig(), sink.url), true));
  });

  afterAll(async () => {
    await alertmanager.stop();
    await sink.close();
  });

  async function expectSent(expected: readonly string[]): Promise<void> {
    await until(
      () => expected.every((line) => sent(sink).includes(line)),
      () => `not sent: ${expected.filter((line) => !sent(sink).includes(line)).join('; ')}\n${alertmanager.log()}`,
    );
    // Long enough for two more rounds of every group: what is held back wrongly late would come now.
    await pause(2_500);
    expect(sent(sink)).toEqual([...expected].sort());
  }

  it('sends of what fires for a host only what matters most', async () => {
    await alertmanager.post(
      cases.flatMap(([host, firing]) =>
        firing.map((words) => {
          const [name = '', severity = ''] = words.split(' ');
          return alert(host, name, severity);
        }),
      ),
    );
    await expectSent(cases.flatMap(([host, , told]) => told.map((words) => `${words} ${host} shop`)));
  });

  it('leaves other hosts, other stacks, alerts of others and alerts about no host alone', async () => {
    const before = sent(sink);
    await alertmanager.post([
      alert('near-1', 'RebootRequired', 'critical'),
      alert('near-2', 'RebootRequired', 'info'),
      { labels: { ...alert('near-1', 'RebootRequired', 'info').labels, stack: 'blog' } },
      // Not ours, but with the same labels.
      { labels: { alertname: 'NodeDown', severity: 'critical', host: 'near-3', stack: 'shop' } },
      alert('near-3', 'RebootPatchingOff', 'warning'),
      { labels: { alertname: 'NodeFilesystemFull', severity: 'warning', host: 'near-1', stack: 'shop' } },
      // Without a host: missing labels are equal to Alertmanager.
      { labels: { alertname: 'RebootExporterAbsent', severity: 'critical' } },
      { labels: { alertname: 'RebootExporterDown', severity: 'warning', instance: 'exporter:10066' } },
      { labels: { alertname: 'RebootExporterConfigReloadFailed', severity: 'warning', instance: 'other:10066' } },
    ]);
    await expectSent([
      ...before,
      'shop-page RebootRequired critical near-1 shop',
      'shop-notices RebootRequired info near-2 shop',
      'reboot-notices RebootRequired info near-1 blog',
      'reboot-chat NodeDown critical near-3 shop',
      'shop-chat RebootPatchingOff warning near-3 shop',
      'reboot-chat NodeFilesystemFull warning near-1 shop',
      'reboot-page RebootExporterAbsent critical - -',
      'reboot-chat RebootExporterConfigReloadFailed warning - -',
    ]);
  });

  it('sends what was held back when that which held it back has ended', async () => {
    const before = sent(sink);
    await alertmanager.post([
      { ...alert('grown-1', 'RebootRequiredExposed', 'critical'), resolved: true },
      { ...alert('gone-2', 'RebootHostUnreachable', 'warning'), resolved: true },
    ]);
    await expectSent([
      ...before,
      'shop-chat RebootRequiredExposed warning grown-1 shop',
      'shop-page RebootRequired critical gone-2 shop',
    ]);
    const resolved = sink.deliveries.flatMap(({ body }) =>
      (JSON.parse(body) as { alerts: { status: string; labels: Labels }[] }).alerts
        .filter(({ status }) => status === 'resolved')
        .map(({ labels }) => short(labels).join(' ')),
    );
    expect(new Set(resolved)).toEqual(
      new Set(['RebootRequiredExposed critical grown-1 shop', 'RebootHostUnreachable warning gone-2 shop']),
    );
  });
});

describeWith(['alertmanager'], 'Grouping and holding, by a real Alertmanager', () => {
  let sink: Sink;
  let alertmanager: Alertmanager;

  beforeEach(async () => {
    sink = await openSink();
    alertmanager = await startAlertmanager(withOffice(withWebhooks(shippedConfig(), sink.url), false));
  });

  afterEach(async () => {
    await alertmanager.stop();
    await sink.close();
  });

  const of = (host: string, stack: string, alertname: string, severity: string): { labels: Labels } => ({
    labels: { ...alert(host, alertname, severity).labels, stack },
  });

  it('sends one page a stack with all its hosts, and exposed hosts apart', async () => {
    await alertmanager.post([
      of('web-1', 'shop', 'RebootRequiredExposed', 'critical'),
      of('web-2', 'shop', 'RebootRequiredExposed', 'critical'),
      of('db-1', 'shop', 'RebootRequired', 'critical'),
      of('db-2', 'shop', 'RebootRequired', 'critical'),
      of('www-1', 'blog', 'RebootRequiredExposed', 'critical'),
    ]);
    await until(
      () => sink.deliveries.length >= 3,
      () => alertmanager.log(),
    );
    await pause(2_500);
    const pages = sink.deliveries.map(({ path, body }) => {
      const { alerts } = JSON.parse(body) as { alerts: { labels: Labels }[] };
      return [path, ...alerts.map(({ labels }) => labels['host']).sort()].join(' ');
    });
    expect(pages.sort()).toEqual(['/reboot-page www-1', '/shop-page db-1 db-2', '/shop-page web-1 web-2']);
  });

  it('holds notices while the office is closed, but nothing that is exposed or worse, and sends them when it opens', async () => {
    await alertmanager.post([
      of('db-1', 'shop', 'RebootRequired', 'info'),
      of('db-2', 'blog', 'RebootStateUnknown', 'info'),
      of('db-3', 'shop', 'RebootRequired', 'warning'),
      of('db-4', 'shop', 'RebootRequired', 'critical'),
      of('web-1', 'shop', 'RebootRequiredExposed', 'info'),
      of('web-2', 'blog', 'RebootRequiredExposed', 'info'),
    ]);
    const atOnce = [
      'reboot-chat RebootRequiredExposed info web-2 blog',
      'shop-chat RebootRequired warning db-3 shop',
      'shop-chat RebootRequiredExposed info web-1 shop',
      'shop-page RebootRequired critical db-4 shop',
    ];
    await until(
      () => sent(sink).length >= atOnce.length,
      () => alertmanager.log(),
    );
    await pause(2_500);
    expect(sent(sink)).toEqual(atOnce);
    await alertmanager.reload(withOffice(withWebhooks(shippedConfig(), sink.url), true));
    const held = ['reboot-notices RebootStateUnknown info db-2 blog', 'shop-notices RebootRequired info db-1 shop'];
    await until(
      () => sent(sink).length >= atOnce.length + held.length,
      () => alertmanager.log(),
    );
    expect(sent(sink)).toEqual([...atOnce, ...held].sort());
  });
});
