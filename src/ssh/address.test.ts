import type { LookupAddress } from 'node:dns';
import { AddressBook, lookupLanes } from './address';

const four: LookupAddress = { address: '203.0.113.10', family: 4 };
const six: LookupAddress = { address: '2001:db8::10', family: 6 };

describe('AddressBook', () => {
  it('takes an address for itself', async () => {
    const book = new AddressBook(
      () => Promise.reject(new Error('asked')),
      () => 0,
    );
    expect(await book.addressesOf('203.0.113.10')).toEqual([four]);
    expect(await book.addressesOf('2001:db8::10')).toEqual([six]);
  });

  it('gives addresses of the family that is wanted, if there are any', async () => {
    const lookup = jest.fn(() => Promise.resolve([...Array<LookupAddress>(10).fill(six), four]));
    const book = new AddressBook(lookup, () => 0);
    expect(await book.addressesOf('web-1')).toHaveLength(8);
    expect(await book.addressesOf('web-1', 'inet')).toEqual([four]);
    expect((await book.addressesOf('web-1', 'inet6')).every(({ family }) => family === 6)).toBe(true);
    expect(lookup).toHaveBeenCalledTimes(1);
    expect(await book.addressesOf('fe80::1%eth0', 'inet6')).toEqual([{ address: 'fe80::1%eth0', family: 6 }]);
    await expect(book.addressesOf('203.0.113.10', 'inet6')).rejects.toMatchObject({
      reason: 'dns',
      message: '203.0.113.10 is no IPv6 address, and address_family is inet6',
    });
    const old = new AddressBook(
      () => Promise.resolve([four]),
      () => 0,
    );
    await expect(old.addressesOf('web-1', 'inet6')).rejects.toMatchObject({
      reason: 'dns',
      message: '"web-1" has no IPv6 address, and address_family is inet6',
    });
  });

  it('asks once for many, and again when the answer is a minute old', async () => {
    let nowMs = 0;
    const lookup = jest.fn(() => Promise.resolve([six, four]));
    const book = new AddressBook(lookup, () => nowMs);
    const answers = await Promise.all([book.addressesOf('web-1'), book.addressesOf('web-1')]);
    expect(answers).toEqual([
      [six, four],
      [six, four],
    ]);
    nowMs = 59_000;
    await book.addressesOf('web-1');
    expect(lookup).toHaveBeenCalledTimes(1);
    nowMs = 61_000;
    await book.addressesOf('web-1');
    expect(lookup).toHaveBeenCalledTimes(2);
  });

  it.each([
    ['ENOTFOUND', 'the name does not exist'],
    ['EAI_AGAIN', 'the name server did not answer'],
    ['EODD', 'EODD'],
  ])('fails with dns and plain words for %s, and asks again next time', async (code, words) => {
    const lookup = jest.fn(() => Promise.reject(Object.assign(new Error('lookup'), { code })));
    const book = new AddressBook(lookup, () => 0);
    for (let time = 1; time <= 2; time += 1) {
      await expect(book.addressesOf('web-1')).rejects.toMatchObject({
        reason: 'dns',
        message: `"web-1" could not be resolved: ${words}`,
      });
      expect(lookup).toHaveBeenCalledTimes(time);
    }
  });

  it('fails with dns where a name has no address, and takes the first ones where it has many', async () => {
    const none = new AddressBook(
      () => Promise.resolve([]),
      () => 0,
    );
    await expect(none.addressesOf('web-1')).rejects.toMatchObject({ reason: 'dns' });
    const many = new AddressBook(
      () => Promise.resolve(Array.from({ length: 50 }, () => four)),
      () => 0,
    );
    expect(await many.addressesOf('web-1')).toHaveLength(8);
  });

  it('never has more than three look-ups under way, whatever the name servers do', async () => {
    let underWay = 0;
    let most = 0;
    const lookup = async (name: string): Promise<LookupAddress[]> => {
      underWay += 1;
      most = Math.max(most, underWay);
      await new Promise((resolve) => setTimeout(resolve, 2));
      underWay -= 1;
      if (name.startsWith('bad')) throw new Error('no');
      return [four];
    };
    const book = new AddressBook(lookup, () => 0);
    const names = Array.from({ length: 20 }, (_, at) => `${at % 2 === 0 ? 'bad' : 'good'}-${at}`);
    for (let round = 0; round < 2; round += 1) {
      await Promise.allSettled(names.map((name) => book.addressesOf(name)));
    }
    expect(most).toBeLessThanOrEqual(3);
  });

  describe('where the name servers are slow or fail later', () => {
    const minuteMs = 60_000;
    const dayMs = 24 * 60 * minuteMs;
    let nowMs = 0;
    let answer: () => Promise<LookupAddress[]>;
    let book: AddressBook;

    beforeEach(async () => {
      nowMs = 0;
      answer = () => Promise.resolve([four]);
      book = new AddressBook(
        () => answer(),
        () => nowMs,
      );
      expect(await book.addressesOf('web-1')).toEqual([four]);
      nowMs = 2 * minuteMs;
    });

    const failing = (code: string) => (): Promise<never> => Promise.reject(Object.assign(new Error('x'), { code }));

    it.each(['EAI_AGAIN', 'EAI_FAIL', 'EODD'])('with %s goes on with the last answer, for a day', async (code) => {
      answer = failing(code);
      expect(await book.addressesOf('web-1')).toEqual([four]);
      nowMs = dayMs - 1;
      expect(await book.addressesOf('web-1')).toEqual([four]);
      nowMs = dayMs;
      await expect(book.addressesOf('web-1')).rejects.toMatchObject({ reason: 'dns' });
    });

    it('does not wait for one that says nothing, and takes its answer when that comes', async () => {
      let say: (addresses: LookupAddress[]) => void = () => undefined;
      answer = () => new Promise((resolve) => (say = resolve));
      const begunMs = performance.now();
      expect(await book.addressesOf('web-1')).toEqual([four]);
      expect(performance.now() - begunMs).toBeLessThan(2000);
      say([six]);
      await new Promise((resolve) => setImmediate(resolve));
      expect(await book.addressesOf('web-1')).toEqual([six]);
    });

    it('has no fault left that nobody hears when it fails after that', async () => {
      let fail: (error: Error) => void = () => undefined;
      answer = () => new Promise((_, reject) => (fail = reject));
      expect(await book.addressesOf('web-1')).toEqual([four]);
      fail(new Error('too late'));
      await new Promise((resolve) => setImmediate(resolve));
    });

    it.each(['ENOTFOUND', 'ENODATA'])('with %s forgets the last answer: the name is gone', async (code) => {
      answer = failing(code);
      await expect(book.addressesOf('web-1')).rejects.toMatchObject({ reason: 'dns' });
      answer = failing('EAI_AGAIN');
      await expect(book.addressesOf('web-1')).rejects.toMatchObject({ reason: 'dns' });
    });

    it('with no address at all forgets it as well', async () => {
      answer = () => Promise.resolve([]);
      await expect(book.addressesOf('web-1')).rejects.toMatchObject({ reason: 'dns' });
      answer = failing('EAI_AGAIN');
      await expect(book.addressesOf('web-1')).rejects.toMatchObject({ reason: 'dns' });
    });
  });

  it.each([
    [1, 1, 1],
    [4, 2, 1],
    [16, 8, 4],
    [128, 64, 32],
    [NaN, 2, 1],
  ])('of a pool of %d threads takes %d for names that were quick and %d for the others', (threads, fast, slow) => {
    expect(lookupLanes(threads)).toEqual({ fast, slow });
  });

  it('does not let names that hang hold up the others for ever', async () => {
    const hanging: (() => void)[] = [];
    const lookup = (name: string): Promise<LookupAddress[]> =>
      name.startsWith('dead')
        ? new Promise((_, reject) => hanging.push(() => reject(new Error('no answer'))))
        : Promise.resolve([four]);
    const book = new AddressBook(lookup, () => 0);
    const dead = ['dead-1', 'dead-2', 'dead-3', 'dead-4'];
    const first = Promise.allSettled(dead.map((name) => book.addressesOf(name)));
    // They failed once, so from now on they share one lane.
    while (hanging.length > 0) {
      hanging.splice(0).forEach((end) => end());
      await new Promise((resolve) => setImmediate(resolve));
    }
    await first;
    const second = Promise.allSettled(dead.map((name) => book.addressesOf(name)));
    expect(await book.addressesOf('alive')).toEqual([four]);
    while (hanging.length > 0) {
      hanging.splice(0).forEach((end) => end());
      await new Promise((resolve) => setImmediate(resolve));
    }
    await second;
  });
});
