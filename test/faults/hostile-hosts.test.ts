import { ensureBuilt } from '../e2e/built-program';
import { ExporterProcess } from '../e2e/exporter-process';
import { scrape, type Scrape } from '../e2e/scrape';
import { until } from '../e2e/until';
import { allFaults, FaultFleet, type Fault } from './fault-fleet';
import { injections } from './lying-hosts';
import { peakBytes } from './peak-memory';
import { TruthWatch } from './truth-watch';

jest.setTimeout(180_000);

const timeoutSeconds = 3;
/** All of them at once, on a machine that also runs their servers. */
const maxPeakBytes = 500 * 1024 * 1024;
const good = ['good-1', 'good-2', 'good-3'];
const faults = allFaults();

describe(`${faults.length} hosts that misbehave, each in a way of its own, beside hosts that do not`, () => {
  let fleet: FaultFleet;
  let exporter: ExporterProcess;
  let watch: TruthWatch;
  let ill: Scrape;

  beforeAll(async () => {
    ensureBuilt();
    fleet = await FaultFleet.start(good, faults);
    watch = await TruthWatch.start();
    exporter = await ExporterProcess.start(fleet.exporterOptions({ interval: '3s', timeout: `${timeoutSeconds}s` }));
    await allAreWell();
    await watch.attach(exporter.url);
    await watch.expect(fleet.truth);
    await watch.seen(3);

    // What a host says of itself is not to be true while it lies; all that is known of the others is.
    await watch.expect(
      Object.fromEntries(
        faults.filter(({ reasons }) => reasons === null).map(({ host }) => [host, { required: 'any', isKnown: false }]),
      ),
    );
    for (const { host } of faults) fleet.host(host).misbehave();
    const begun = await scrape(`${exporter.url}/metrics`);
    ill = await until(60, async () => {
      const metrics = await scrape(`${exporter.url}/metrics`);
      for (const { host, reasons } of faults) requireProbed(metrics, begun, host, reasons);
      return metrics;
    });
  });

  afterAll(async () => {
    await exporter?.kill();
    await watch?.stop();
    await fleet?.stop();
  });

  function allAreWell(): Promise<Scrape> {
    return until(60, async () => {
      const metrics = await scrape(`${exporter.url}/metrics`);
      const failing = metrics
        .all('reboot_probe_failing_reason_info')
        .map(({ labels }) => `${labels['host']} ${labels['reason']}`);
      expect(failing).toEqual([]);
      expect(metrics.all('reboot_probe_success').filter(({ value }) => value === 1)).toHaveLength(
        good.length + faults.length,
      );
      return metrics;
    });
  }

  test.each(faults.map((fault) => [fault.does, fault] as const))('one that %s', (_does, { host, reasons, says }) => {
    const failing = ill.labelValues('reboot_probe_failing_reason_info', 'reason', { host });
    expect(failing).toEqual(reasons === null ? [] : [expect.stringMatching(new RegExp(`^(${reasons.join('|')})$`))]);
    expect(ill.value('reboot_probe_success', { host })).toBe(reasons === null ? 1 : 0);
    expect(ill.value('reboot_probe_duration_seconds', { host })).toBeLessThan(timeoutSeconds + 1);
    if (reasons === null) return;
    const told = exporter.log
      .split('\n')
      .filter((line) => line.includes(` host=${host} `) && line.includes(` reason=${failing[0]} `));
    const words = told.map((line) => line.replaceAll('\\"', '"')).join('\n');
    if (typeof says === 'string') expect(words).toContain(says);
    else expect(words).toMatch(says);
  });

  test("packages and labels are bounded, clean, and the host's own", () => {
    const many = faults.find(({ does }) => does === 'names a hundred thousand packages')?.host ?? '';
    expect(ill.all('reboot_required_package_info', { host: many })).toHaveLength(100);
    expect(ill.value('reboot_required_packages', { host: many })).toBeGreaterThan(9000);
    const injecting = faults.find(({ does }) => does === 'writes labels that would end the label')?.host ?? '';
    const written = ill.labelValues('reboot_required_package_info', 'package', { host: injecting });
    // As they were sent, but for the characters that have no place in a line.
    expect(written).toContain('x"} 1');
    expect(written).toContain('x\\"} 1');
    expect(written.length).toBeGreaterThan(injections.length - 2);
    expect(ill.all('reboot_required', { host: 'good-1' })).toHaveLength(1);
    expect(ill.text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
  });

  test('the log has a line for each event, in printable characters', () => {
    const lines = exporter.log.trimEnd().split('\n');
    expect(lines.filter((line) => !line.startsWith('ts='))).toEqual([]);
    expect(lines.filter((line) => /[^\x20-\x7e…]/.test(line))).toEqual([]);
    expect(lines.filter((line) => line.includes('level=error'))).toEqual([]);
  });

  test('each is well again with its next probe, since when it was before', async () => {
    for (const { host } of faults) fleet.host(host).heal();
    await allAreWell();
    // Those that lied have no age to go on from: what they said last was never true.
    await watch.forgetAges();
    const healed = await scrape(`${exporter.url}/metrics`);
    const lied = new Set(faults.filter(({ reasons }) => reasons === null).map(({ host }) => host));
    const still = Object.fromEntries(Object.entries(fleet.truth).filter(([host]) => !lied.has(host)));
    await watch.expect(still);
    for (const host of lied) {
      expect(healed.value('reboot_required', { host })).toBe(1);
      expect(healed.labelValues('reboot_required_package_info', 'package', { host })).toEqual([
        'dbus',
        `only-on-${host}`,
      ]);
    }
    await watch.seen(5);
  });

  test('/metrics answered within a second throughout, and never said what was not so', () => {
    process.stdout.write(
      `${faults.length} faults at once: ${watch.summary}; peak ${(peakBytes(exporter.pid) / 1e6).toFixed(0)} MB\n`,
    );
    expect(watch.faults).toEqual([]);
    expect(watch.scrapes).toBeGreaterThan(20);
    expect(watch.slowestMs).toBeLessThan(1000);
  });

  test('memory stayed in its bound, and no connection or descriptor was left behind', async () => {
    expect(peakBytes(exporter.pid)).toBeLessThan(maxPeakBytes);
    const metrics = await scrape(`${exporter.url}/metrics`);
    // One kept to each host, and what the process has open anyway.
    expect(metrics.value('process_open_fds')).toBeLessThan(good.length + faults.length + 60);
  });
});

/** @throws Error while the host was not probed since then with the right outcome. */
function requireProbed(metrics: Scrape, since: Scrape, host: string, reasons: Fault['reasons']): void {
  const success = metrics.value('reboot_probe_success', { host });
  const [reason] = metrics.labelValues('reboot_probe_failing_reason_info', 'reason', { host });
  if (reasons !== null) {
    // The first tries may have failed for want of time: all of them began to misbehave at once, in one process.
    if (success !== 0 || !reasons.some((one) => one === reason))
      throw new Error(`${host}: ${reason}, not ${reasons.join()}`);
    return;
  }
  const at = (from: Scrape): number => from.value('reboot_probe_last_success_timestamp_seconds', { host }) ?? 0;
  if (success !== 1 || at(metrics) - at(since) < 1) throw new Error(`${host} has not been probed: ${reason}`);
}
