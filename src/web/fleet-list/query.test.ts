import { fleetQueryString, isAsked, plainQuery, readFleetQuery } from './query';

it('reads what is given, and takes what it does not understand for not given', () => {
  expect(readFleetQuery({})).toEqual(plainQuery);
  expect(
    readFleetQuery({
      q: ['a', 'b'],
      stack: '',
      urgency: 'very',
      answering: '1',
      sort: 'x',
      page: '-1',
      reload: 'x',
      exposed: 'yes',
    }),
  ).toEqual(plainQuery);
  expect(
    readFleetQuery({
      q: ' a b ',
      stack: 's',
      urgency: 'needed',
      answering: 'no',
      exposed: '1',
      sort: 'age',
      reversed: '1',
      page: '7',
      reload: '0',
    }),
  ).toEqual({
    text: 'a b',
    stack: 's',
    urgency: 'needed',
    answering: 'no',
    exposed: true,
    sort: 'age',
    reversed: true,
    page: 7,
    reloads: false,
  });
  expect(readFleetQuery({ q: 'x'.repeat(1000) }).text).toHaveLength(200);
  expect(readFleetQuery({ page: '99999999999' }).page).toBe(1);
});

it('writes a query so that it is read the same', () => {
  expect(fleetQueryString(plainQuery)).toBe('');
  const query = readFleetQuery({
    q: 'a&b=c "<',
    stack: 'ü x',
    urgency: 'none',
    answering: 'restarting',
    exposed: '1',
    sort: 'host',
    reversed: '1',
    page: '3',
    reload: '0',
  });
  expect(readFleetQuery(Object.fromEntries(new URLSearchParams(fleetQueryString(query))))).toEqual(query);
});

it('knows which urgencies are needed restarts', () => {
  const all = ['none', 'info', 'warning', 'critical', 'unknown'] as const;
  expect(all.filter((urgency) => isAsked('needed', urgency))).toEqual(['info', 'warning', 'critical']);
  expect(all.filter((urgency) => isAsked('unknown', urgency))).toEqual(['unknown']);
  expect(all.filter((urgency) => isAsked(null, urgency))).toEqual(all);
});
