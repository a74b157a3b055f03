import { hasAllowedName, readAltNames } from './alt-names';

it('reads the names of a certificate', () => {
  expect(readAltNames('DNS:a.example, IP Address:192.0.2.1, URI:spiffe://x/y, email:a@b.example')).toEqual([
    { kind: 'DNS', value: 'a.example' },
    { kind: 'IP Address', value: '192.0.2.1' },
    { kind: 'URI', value: 'spiffe://x/y' },
    { kind: 'email', value: 'a@b.example' },
  ]);
  expect(readAltNames('')).toEqual([]);
});

it('is not misled by a value that looks like another name', () => {
  const names = readAltNames('URI:"http://x/, DNS:trusted.example", DNS:"a\\"b", DNS:other.example');
  expect(names).toEqual([
    { kind: 'URI', value: 'http://x/, DNS:trusted.example' },
    { kind: 'DNS', value: 'a"b' },
    { kind: 'DNS', value: 'other.example' },
  ]);
  expect(readAltNames('DNS:"broken')).toEqual([]);
  expect(readAltNames('DNS:"a"b, DNS:c')).toEqual([{ kind: 'DNS', value: 'a' }]);
});

it.each([
  ['DNS:a.example', ['a.example'], true],
  ['DNS:a.example', ['A.example'], false],
  ['DNS:*.example', ['a.example'], false],
  ['DNS:*.example', ['*.example'], true],
  ['DNS:x, IP Address:0:0:0:0:0:0:0:1', ['::1'], true],
  ['IP Address:192.0.2.1', ['192.0.2.10'], false],
  ['DirName:CN = a.example', ['a.example'], false],
  ['othername:a.example', ['a.example'], false],
  ['', ['a.example'], false],
])('holds %j against %j', (text, allowed, expected) => {
  expect(hasAllowedName(text, allowed)).toBe(expected);
});
