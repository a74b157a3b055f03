import { hostInfoLabels, readLabelName, readLabelValue } from './label';

test.each(['team', '_x', 'Tier1', 'a_b_c', 'job'])('%s can be a label', (name) => {
  expect(readLabelName(name)).toEqual({ ok: true, value: name });
});

test.each(['', '1a', 'a-b', 'a.b', 'é', '__x', 'host', 'stack', 'severity', 'le', 'a\n', ...hostInfoLabels])(
  '%j can not',
  (name) => {
    expect(readLabelName(name).ok).toBe(false);
  },
);

test.each([
  ['', true],
  ['any "text" \\ {} ü 😀', true],
  ['x'.repeat(1024), true],
  ['x'.repeat(1025), false],
  ['two\nlines', false],
  ['\u001b[31m', false],
  ['\u2028', false],
  ['\ud800', false],
])('a value %j: %s', (value, ok) => {
  expect(readLabelValue(value).ok).toBe(ok);
});
