import { Interned } from './interned';

describe('Interned', () => {
  test('makes the value of a key once', () => {
    const values = new Interned<object>(10);
    const make = jest.fn(() => ({}));
    expect(values.get('a', make)).toBe(values.get('a', make));
    expect(make).toHaveBeenCalledTimes(1);
    expect(values.get('b', make)).not.toBe(values.get('a', make));
  });

  test('forgets all when there are too many, and the values still stand for their keys', () => {
    const values = new Interned<string>(2);
    const made: string[] = [];
    const get = (key: string): string => values.get(key, () => (made.push(key), key));
    expect(['a', 'b', 'a', 'c', 'a'].map(get)).toEqual(['a', 'b', 'a', 'c', 'a']);
    expect(made).toEqual(['a', 'b', 'c', 'a']);
  });
});
