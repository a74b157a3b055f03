import { hostAt } from '../../test/ssh/target';
import { ProbeFailure } from '../failure';
import type { Host } from '../inventory/host';
import { BastionFailure } from './bastion-failure';
import { type Keepable, KeptConnections } from './kept-connections';

class Fake implements Keepable {
  usable = true;
  closed = false;
  watched = false;
  ended: ProbeFailure | null = null;
  onIdleEnd = (): void => undefined;

  watchPeer(): void {
    this.watched = true;
  }

  close(): void {
    this.closed = true;
    this.usable = false;
  }

  /** The host hangs up. */
  drop(): void {
    this.usable = false;
    this.onIdleEnd();
  }
}

const host = (name: string, port = 22): Host => hostAt({ name, port, identityFiles: [], knownHosts: '/k' });
const web = host('web-1');

describe('KeptConnections', () => {
  let nowMs: number;
  let dropped: string[];
  let kept: KeptConnections<Fake>;

  beforeEach(() => {
    jest.useFakeTimers();
    nowMs = 0;
    dropped = [];
    kept = new KeptConnections<Fake>({
      maxOpen: 2,
      idleMs: 60_000,
      nowMs: () => nowMs,
      onDrop: (dropping) => dropped.push(dropping.name),
    });
  });

  afterEach(() => jest.useRealTimers());

  function pass(ms: number): void {
    nowMs += ms;
    jest.advanceTimersByTime(ms);
  }

  it('gives a connection to one taker', () => {
    const connection = new Fake();
    kept.keep(web, connection, false);
    expect(connection.watched).toBe(true);
    expect(kept.take(host('web-2'))).toBeNull();
    expect(kept.take(web)).toBe(connection);
    expect(kept.take(web)).toBeNull();
    expect(connection.closed).toBe(false);
  });

  it('keeps one a host and no more than its bound, and closes the others', () => {
    const connections = ['web-1', 'web-1', 'web-2', 'web-3'].map((name) => {
      const connection = new Fake();
      kept.keep(host(name), connection, false);
      return connection;
    });
    expect(connections.map((connection) => connection.closed)).toEqual([false, true, false, true]);
    expect(kept.size).toBe(2);
  });

  it('does not keep one that is of no use any more', () => {
    const connection = new Fake();
    connection.usable = false;
    kept.keep(web, connection, false);
    expect(kept.size).toBe(0);
    expect(connection.closed).toBe(true);
  });

  it('closes one that nobody takes for long', () => {
    const connection = new Fake();
    kept.keep(web, connection, false);
    pass(59_000);
    expect(connection.closed).toBe(false);
    pass(2000);
    expect(connection.closed).toBe(true);
    expect(kept.size).toBe(0);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('closes each when its own time is up, and counts anew for one that was taken meanwhile', () => {
    const [first, second] = [new Fake(), new Fake()];
    kept.keep(web, first, false);
    pass(30_000);
    kept.keep(host('web-2'), second, false);
    kept.take(web);
    kept.keep(web, first, true);
    pass(59_000);
    expect([first.closed, second.closed]).toEqual([false, false]);
    pass(1000);
    expect([first.closed, second.closed]).toEqual([true, true]);

    const [third, fourth] = [new Fake(), new Fake()];
    kept.keep(web, third, false);
    pass(30_000);
    kept.keep(host('web-2'), fourth, false);
    pass(31_000);
    expect([third.closed, fourth.closed]).toEqual([true, false]);
    pass(30_000);
    expect(fourth.closed).toBe(true);
  });

  it('has one timer, however many are kept, and none once they were all taken and its time is up', () => {
    kept.keep(web, new Fake(), false);
    kept.keep(host('web-2'), new Fake(), false);
    expect(jest.getTimerCount()).toBe(1);
    kept.take(web);
    kept.take(host('web-2'));
    pass(60_000);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('does not give one to a host whose settings have changed', () => {
    const connection = new Fake();
    kept.keep(web, connection, false);
    expect(kept.take(host('web-1', 2222))).toBeNull();
    expect(connection.closed).toBe(true);
  });

  it('tells when a host drops one, and not when it was taken or forgotten before', () => {
    const connection = new Fake();
    kept.keep(web, connection, true);
    connection.drop();
    expect(dropped).toEqual(['web-1']);
    expect(kept.size).toBe(0);

    const taken = new Fake();
    kept.keep(web, taken, true);
    kept.take(web);
    taken.drop();
    const forgotten = new Fake();
    kept.keep(web, forgotten, true);
    kept.forget('web-1');
    forgotten.drop();
    expect(dropped).toEqual(['web-1']);
  });

  it('gives up on a host that ends every connection before it was of use, and tries again after an hour', () => {
    for (let time = 0; time < 2; time += 1) {
      expect(kept.welcomes(web)).toBe(true);
      const connection = new Fake();
      kept.keep(web, connection, false);
      connection.drop();
    }
    expect(kept.welcomes(web)).toBe(false);
    expect(dropped).toEqual(['web-1']);
    expect(kept.welcomes(host('web-2'))).toBe(true);
    nowMs = 3600 * 1000;
    expect(kept.welcomes(web)).toBe(true);
  });

  it('does not count a loss against a host that was of use in between', () => {
    for (let time = 0; time < 5; time += 1) {
      const connection = new Fake();
      kept.keep(web, connection, false);
      kept.take(web);
      kept.keep(web, connection, true);
      connection.drop();
      expect(kept.welcomes(web)).toBe(true);
    }
    expect(dropped).toHaveLength(5);
  });

  it('holds the end of a bastion against nobody', () => {
    for (let time = 0; time < 5; time += 1) {
      const connection = new Fake();
      connection.ended = BastionFailure.at('b1', new ProbeFailure('protocol', 'it is gone'));
      kept.keep(web, connection, false);
      connection.drop();
    }
    expect(dropped).toEqual([]);
    expect(kept.welcomes(web)).toBe(true);
    expect(kept.size).toBe(0);
  });

  it('does not give one to a host that is reached otherwise now', () => {
    const connection = new Fake();
    const via = { ...host('b1'), port: 22 };
    kept.keep(
      hostAt({ name: 'web-1', port: 22, identityFiles: [], knownHosts: '/k', ssh: { via } }),
      connection,
      false,
    );
    expect(kept.take(web)).toBeNull();
    expect(connection.closed).toBe(true);
  });

  it('leaves a host in peace that refused a second command', () => {
    kept.refused(web);
    expect(kept.welcomes(web)).toBe(false);
  });

  it('closes and forgets hosts that are not retained', () => {
    const gone = new Fake();
    const stays = new Fake();
    kept.keep(host('gone'), gone, false);
    kept.keep(host('stays'), stays, false);
    kept.refused(host('refusing'));
    kept.retain(new Set(['stays']));
    expect([gone.closed, stays.closed]).toEqual([true, false]);
    expect(kept.welcomes(host('refusing'))).toBe(true);
  });
});
