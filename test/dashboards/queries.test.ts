import { startDemo, type RunningDemo } from '../../src/demo/run-demo';
import { describeWith } from '../alerts/programs';
import { until } from '../e2e/until';
import { dashboards, type DashboardJson } from './dashboard-json';
import { Prometheus } from './prometheus';
import { look, type Answer, type View } from './viewing';

const [fleet, server] = dashboards as [DashboardJson, DashboardJson];
const hour = 3600;
const historyStepSeconds = 900;
const now = Math.floor(Date.now() / 1000);
const span = { from: now - 60 * hour, to: now };
const madeUp: View = { ...span, scrapeSeconds: historyStepSeconds, chosen: {} };

/** May be empty in made-up history: each with the reason. The live fleet below shows them. */
const emptyInHistory: Readonly<Record<string, string>> = {
  'annotation Restarts': 'looks at spans of 5 minutes, and made-up values come every 15',
  'annotation Deploys': 'nobody calls for a refresh in it',
};

/** May be empty in the demo, likewise. */
const emptyLive: Readonly<Record<string, string>> = {
  'Who is not being patched / idle': 'nothing in it has been idle for three days; made-up history shows it',
};

function errorsOf(answers: readonly Answer[]): string[] {
  return answers.flatMap(({ of, error }) => (error === null ? [] : [`${of}: ${error}`]));
}

function emptyOnes(answers: readonly Answer[]): string[] {
  return answers.filter(({ series }) => series.length === 0).map(({ of }) => of);
}

/** Queries that are empty for every host. */
async function emptyForAll(prometheus: Prometheus, hosts: readonly string[], view: View): Promise<string[]> {
  let empty: readonly string[] = [];
  for (const [index, host] of hosts.entries()) {
    const answers = await look(prometheus, server, { ...view, chosen: { host } });
    expect([host, errorsOf(answers)]).toEqual([host, []]);
    const here = emptyOnes(answers);
    empty = index === 0 ? here : empty.filter((of) => here.includes(of));
    if (empty.length === 0) break;
  }
  return [...empty];
}

/** The first value of the only series of a query. */
function valueOf(answers: readonly Answer[], of: string): string | undefined {
  return answers.find((answer) => answer.of === of)?.series[0]?.values[0]?.[1];
}

function labelOf(answers: readonly Answer[], of: string, label: string): string | undefined {
  return answers.find((answer) => answer.of === of)?.series[0]?.metric[label];
}

describeWith(['prometheus', 'promtool'], 'every query of the dashboards, by a real Prometheus', () => {
  const started: Prometheus[] = [];
  async function start(options: Parameters<typeof Prometheus.start>[0]): Promise<Prometheus> {
    const prometheus = await Prometheus.start(options);
    started.push(prometheus);
    return prometheus;
  }
  afterEach(async () => {
    for (const prometheus of started.splice(0)) await prometheus.stop();
  });

  test('answers over a fleet of 40 hosts in all states', async () => {
    const prometheus = await start({ history: { ...span, hosts: 40, stepSeconds: historyStepSeconds } });
    const answers = await look(prometheus, fleet, madeUp);
    expect(errorsOf(answers)).toEqual([]);
    expect(emptyOnes(answers).filter((of) => emptyInHistory[of] === undefined)).toEqual([]);
    const hosts = await prometheus.query('max by (host) (reboot_probe_success)', now);
    const names = hosts.map(({ metric }) => metric['host'] ?? '');
    expect(names).toHaveLength(40);
    const empty = await emptyForAll(prometheus, names, madeUp);
    expect(empty.filter((of) => emptyInHistory[of] === undefined)).toEqual([]);

    // Narrowed to one stack, nothing of another one shows.
    const shop = await look(prometheus, fleet, { ...madeUp, chosen: { stack: 'shop' } });
    const stacks = shop.flatMap(({ of, series }) =>
      of === 'variable stack' ? [] : series.flatMap(({ metric }) => metric['stack'] ?? []),
    );
    expect(new Set(stacks)).toEqual(new Set(['shop']));
  }, 240_000);

  test('reassures where nothing needs a restart', async () => {
    const prometheus = await start({ history: { ...span, hosts: 6, stepSeconds: historyStepSeconds, allWell: true } });
    const answers = await look(prometheus, fleet, madeUp);
    expect(errorsOf(answers)).toEqual([]);
    for (const title of ['Critical', 'Exposed ones', 'Need a restart', 'Longest wait', "Can't tell", 'Not reached']) {
      expect([title, valueOf(answers, `${title} / A`)]).toEqual([title, '0']);
    }
    expect(labelOf(answers, 'What needs me now / urgency', 'host')).toBe('Nothing needs a restart');
    expect(labelOf(answers, 'Who is not being patched / off', 'host')).toBe(
      'Every host that can tell is being patched',
    );
    expect(labelOf(answers, 'Who cannot be probed / reason', 'host')).toBe('Every host answers');

    const own = await look(prometheus, server, { ...madeUp, chosen: { host: 'db-1' } });
    expect(errorsOf(own)).toEqual([]);
    expect(valueOf(own, 'Restart / A')).toBe('0');
    expect(labelOf(own, 'Why / A', 'reason')).toBe('no restart is needed');
    expect(labelOf(own, 'Packages / A', 'package')).toBe('no package asks for a restart');
    expect(labelOf(own, 'Ports open to anywhere / A', 'port')).toBe('no port is open to anywhere');
  }, 120_000);

  test('does not reassure where nothing is known', async () => {
    const prometheus = await start({});
    const answers = await look(prometheus, fleet, madeUp);
    expect(errorsOf(answers)).toEqual([]);
    expect(answers.filter(({ series }) => series.length > 0).map(({ of }) => of)).toEqual([
      'What needs me now / urgency',
      'Who is not being patched / off',
      'Who cannot be probed / reason',
    ]);
    expect(valueOf(answers, 'What needs me now / urgency')).toBe('-1');
    expect(labelOf(answers, 'What needs me now / urgency', 'host')).toBe('No host is known');

    const own = await look(prometheus, server, { ...madeUp, chosen: { host: 'web-1' } });
    expect(errorsOf(own)).toEqual([]);
    expect(labelOf(own, 'Why / A', 'reason')).toBe('not known');
    expect(labelOf(own, 'Ports open to anywhere / A', 'port')).toBe('not known');
    expect(own.find(({ of }) => of === 'Restart / A')?.series).toEqual([]);
  });

  test('answers over a fleet that lives', async () => {
    const demo: RunningDemo = await startDemo({
      listen: { host: '127.0.0.1', port: 0 },
      say: () => undefined,
      pauseSeconds: 1,
    });
    try {
      const from = Math.floor(Date.now() / 1000);
      const prometheus = await start({ target: new URL(demo.url).host });
      const view = (): View => ({ from, to: Math.floor(Date.now() / 1000), scrapeSeconds: 1, chosen: {} });
      // Until a host was restarted and everything there is to see has been scraped.
      await until(
        100,
        async () => {
          await fetch(`${demo.url}/api/v1/refresh?stack=shop`, { method: 'POST' });
          const answers = await look(prometheus, fleet, view());
          expect(errorsOf(answers)).toEqual([]);
          expect(emptyOnes(answers).filter((of) => emptyLive[of] === undefined)).toEqual([]);
        },
        1000,
      );
      const empty = await emptyForAll(prometheus, ['web-1', 'web-2', 'backup-1', 'mail-1', 'print-1'], view());
      expect(empty).toEqual([]);
    } finally {
      await demo.stop();
    }
  }, 180_000);
});
