import { hostOf } from '../../test/fixture/fake-fleet';
import { settle } from '../../test/fixture/fake-time';
import { bench, many, period, prepare, second, start, startWell } from '../../test/fixture/fleet-bench';

describe('the inventory', () => {
  test('a host that leaves disappears whole, and its probe is broken off', async () => {
    start(['web-1', 'web-2']);
    await settle();
    const { signal } = bench.probeOf('web-1');
    bench.fleet.setHosts([hostOf('web-2')]);
    expect(signal.aborted).toBe(true);
    expect(bench.fleet.status('web-1')).toBeNull();
    expect(bench.told.at(-1)).toEqual({ name: 'web-1', status: null });
    await bench.time.advance(3 * period);
    expect(bench.told.filter(({ name, status }) => name === 'web-1' && status === null)).toHaveLength(1);
    expect(bench.told.at(-1)?.name).toBe('web-2');
    expect(bench.timesOf('web-1')).toHaveLength(1);
  });

  test('the answer of a host that has left is not told', async () => {
    start(['web-1'], { ignoresAbort: true });
    await settle();
    const asked = bench.probeOf('web-1');
    bench.fleet.setHosts([]);
    const told = bench.told.length;
    asked.succeed();
    await settle();
    expect(bench.told).toHaveLength(told);
    expect(bench.fleet.statuses()).toEqual([]);
  });

  test('a host that leaves while it waits for its turn is not probed any more', async () => {
    start(many(3), { settings: { concurrency: 1 } });
    await settle();
    bench.fleet.setHosts([hostOf('web-0')]);
    bench.probeOf('web-0').succeed();
    await bench.time.advance(second);
    expect(bench.begun.map(({ name }) => name)).toEqual(['web-0']);
    expect(bench.fleet.probesQueued).toBe(0);
  });

  test('a host that comes is probed at once', async () => {
    startWell(['web-1']);
    await bench.time.advance(second);
    bench.fleet.setHosts([hostOf('web-1'), hostOf('web-2')]);
    await settle();
    expect(bench.begun.map(({ name, atSeconds }) => [name, atSeconds])).toEqual([
      ['web-1', 0],
      ['web-2', 1],
    ]);
  });

  test('an unchanged host is left alone', async () => {
    startWell(['web-1']);
    await bench.time.advance(second);
    const before = bench.status('web-1');
    bench.fleet.setHosts([hostOf('web-1')]);
    await settle();
    expect(bench.status('web-1')).toBe(before);
    expect(bench.begun).toHaveLength(1);
  });

  test('a host whose settings change while it is probed is probed anew, by the new ones', async () => {
    start(['web-1']);
    await settle();
    const old = bench.probeOf('web-1');
    bench.fleet.setHosts([hostOf('web-1', { address: '192.0.2.9' })]);
    await settle();
    expect(old.signal.aborted).toBe(true);
    expect(bench.underWay.map(({ host }) => host.address)).toEqual(['192.0.2.9']);
    bench.probeOf('web-1').succeed();
    await settle();
    expect(bench.status('web-1')).toMatchObject({
      host: { address: '192.0.2.9' },
      failures: {},
      attempt: { failure: null },
    });
  });

  test('even then there is one probe of a host at a time', async () => {
    start(['web-1'], { ignoresAbort: true });
    await settle();
    const old = bench.probeOf('web-1');
    bench.fleet.setHosts([hostOf('web-1', { address: '192.0.2.8' })]);
    bench.fleet.setHosts([]);
    bench.fleet.setHosts([hostOf('web-1', { address: '192.0.2.9' })]);
    await bench.time.advance(second);
    expect(bench.underWay.map(({ host }) => host.address)).toEqual(['192.0.2.1']);
    old.succeed();
    await settle();
    expect(bench.underWay.map(({ host }) => host.address)).toEqual(['192.0.2.9']);
    expect(bench.peak).toBe(1);
  });

  test('a probe that only waited for its turn when the settings changed holds up nothing', async () => {
    start(['web-0', 'web-1'], { settings: { concurrency: 1 } });
    await settle();
    bench.fleet.setHosts([hostOf('web-0'), hostOf('web-1', { address: '192.0.2.9' })]);
    void bench.fleet.probe('web-1');
    bench.probeOf('web-0').succeed();
    await settle();
    expect(bench.underWay.map(({ host }) => host.address)).toEqual(['192.0.2.9']);
  });

  test('a host whose settings change keeps what is known of it', async () => {
    startWell(['web-1']);
    await settle();
    const { known } = bench.status('web-1');
    bench.fleet.setHosts([hostOf('web-1', { stack: 'shop' })]);
    expect(bench.told.at(-1)?.status).toMatchObject({ known, host: { stack: 'shop' } });
  });

  test('a host that is known but was never in a running fleet waits for the start', async () => {
    prepare();
    bench.fleet.setHosts([hostOf('web-1')]);
    await bench.time.advance(period);
    expect(bench.begun).toEqual([]);
    expect(bench.told).toHaveLength(1);
    const asked = bench.fleet.probe('web-1');
    await settle();
    bench.probeOf('web-1').succeed();
    expect((await asked)?.attempt?.failure).toBeNull();
    await bench.time.advance(period);
    expect(bench.begun).toHaveLength(1);
  });
});
