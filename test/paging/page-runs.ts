import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../e2e/until';
import { Lab } from '../lab/lab';
import { stopAtSignal } from './at-signal';
import { exposedHost, letReadFirewall } from './exposed-host';
import { inWords, spreadOf, type RunReport } from './figures';
import { isPage, tells, type Notification } from './notification';
import { PagingSystem } from './paging-system';

/** Longest allowed from the flag to the webhook, in seconds. */
const limitSeconds = 10;
/** A page that has not come after this long is lost. */
const lostSeconds = 60;
/** How long each run goes on after its page: a second one would come in this time. */
const lingerMs = 3000;
/**
 * Alertmanager forgets a group that has become empty within 30 s (dispatch.go, Run). Until then its next message waits
 * for the group's interval, which is short here, and not for the shipped wait of a first message.
 */
const forgottenMs = 32_000;

/** Each is alone in its stack, so each page is a group of its own. */
const exposed = ['web-1', 'web-2', 'web-3', 'web-4', 'web-5', 'web-6'];
const internal = 'db-1';

/**
 * From a flag on an exposed host to the page, time after time, with a limit of 0 for what is exposed. The rules are the
 * shipped ones, and so is the wait of Alertmanager's groups; probes, scrapes and evaluations are a second apart.
 */
export async function timePages(runs: number, say: (line: string) => void): Promise<RunReport> {
  const lab = await Lab.start({
    hosts: [
      ...exposed.map((name, at) => exposedHost(name, `81.2.69.${145 + at}`, { stack: `stack-of-${name}` })),
      { name: internal, stack: 'stack-of-web-1', exposure: 'internal' },
    ],
  });
  let system: PagingSystem | null = null;
  let disarm = (): void => undefined;
  try {
    for (const name of exposed) letReadFirewall(lab.host(name));
    const started = await PagingSystem.start(lab, {
      exporter: {
        probe: { interval: '1s', timeout: '10s' },
        policy: { exposed: { warning_after: '0s', critical_after: '0s' } },
      },
      shippedWait: true,
    });
    system = started;
    disarm = stopAtSignal(() => started.stop().finally(() => lab.stop()));
    for (const name of exposed) await untilProven(name, started);
    lab.host(internal).setFlag(['libc6']);
    const taken: number[] = [];
    const faults: string[] = [];
    let left = runs;
    const work = exposed.map(async (name, at) => {
      await sleep(at * 1500);
      for (let run = 1; left > 0; run++) {
        left -= 1;
        const seconds = await onePage(name, lab, started);
        if (seconds === null) faults.push(`${name}, run ${run}: the page was lost`);
        else taken.push(seconds);
        say(`${name}: ${seconds === null ? 'lost' : `paged after ${seconds.toFixed(2)} s`}`);
        faults.push(...(await endOf(name, run, lab, started)));
        if (left > 0) await sleep(forgottenMs);
      }
    });
    await Promise.all(work);
    const late = taken.filter((seconds) => seconds >= limitSeconds).length;
    if (late > 0) faults.push(`${late} pages took ${limitSeconds} s or longer`);
    if ((await started.prometheus.value(`reboot_required{host="${internal}"}`)) !== 1)
      faults.push('the internal host was not seen to need a restart');
    faults.push(...othersOf(started.notifications()));
    return { figures: [`flag to webhook: ${inWords(spreadOf(taken))}`], faults };
  } finally {
    disarm();
    await system?.stop();
    await lab.stop();
  }
}

async function untilProven(host: string, { prometheus }: PagingSystem): Promise<void> {
  await until(lostSeconds, async () => {
    found(await prometheus.value(`reboot_required{host="${host}"} == 0`));
    found(await prometheus.value(`exposed_to_anywhere_basis_info{host="${host}",basis="proven"}`));
  });
}

/** The host gets the flag at some moment of the second; how long until the page for it, in seconds. */
async function onePage(name: string, lab: Lab, system: PagingSystem): Promise<number | null> {
  await sleep(Math.random() * 1000);
  const before = system.notifications().length;
  const begunMs = Date.now();
  lab.host(name).setFlag(['libc6']);
  const isIt = (one: Notification): boolean => isPage(one) && tells(name, 'firing', 'critical')(one);
  try {
    const page = await until(lostSeconds, () => found(system.notifications().slice(before).find(isIt)), 50);
    return (page.atMs - begunMs) / 1000;
  } catch {
    return null;
  }
}

/** Takes the flag away; says whether the pager was told too often or too little. */
async function endOf(name: string, run: number, lab: Lab, system: PagingSystem): Promise<string[]> {
  await sleep(lingerMs);
  lab.host(name).clearFlag();
  const told = (status: 'firing' | 'resolved'): number =>
    system.notifications().filter((one) => isPage(one) && tells(name, status)(one)).length;
  await until(lostSeconds, () => found(told('resolved') >= run ? true : undefined)).catch(() => undefined);
  await sleep(lingerMs);
  const [firing, resolved] = [told('firing'), told('resolved')];
  return firing === run && resolved === run
    ? []
    : [`${name}: after run ${run} there were ${firing} pages and ${resolved} resolves`];
}

/** With a limit of 0 an exposed one is never less than a page. Of the internal one, a notice after ten minutes is right. */
function othersOf(notifications: readonly Notification[]): string[] {
  return notifications
    .filter((one) => isPage(one) === one.alerts.some(({ labels }) => labels['host'] === internal))
    .map(({ receiver, status, alerts }) => {
      const whom = alerts.map(({ labels }) => `${labels['alertname']} ${labels['severity']} ${labels['host']}`);
      return `${receiver} was told ${status}: ${whom.join(', ')}`;
    });
}

function found<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('not there yet');
  return value;
}
