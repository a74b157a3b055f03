import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { parseKnownHostsLine } from './known-hosts-line';

const ed25519 = keyBlob('ssh-ed25519', Buffer.alloc(32, 7)).toString('base64');

describe('parseKnownHostsLine', () => {
  it('reads names, type and key, in lower case where case does not count', () => {
    expect(parseKnownHostsLine(`Web-1,[web-1.Example.com]:2222 ssh-ed25519 ${ed25519} a comment`, 3)).toEqual({
      lineNumber: 3,
      mark: 'key',
      names: { hashed: false, patterns: ['web-1', '[web-1.example.com]:2222'] },
      keyType: 'ssh-ed25519',
      key: ed25519,
    });
  });

  it.each(['', '   ', '\t', '# web-1 ssh-ed25519 AAAA', '  # indented', '\r'])('says nothing for %j', (line) => {
    expect(parseKnownHostsLine(line, 1)).toBeNull();
  });

  it('takes any white space between fields and before the end', () => {
    const line = parseKnownHostsLine(`\tweb-1 \t ssh-ed25519\t${ed25519}\r`, 1);
    expect(line).toMatchObject({ keyType: 'ssh-ed25519', key: ed25519 });
  });

  it('reads the markers', () => {
    expect(parseKnownHostsLine(`@revoked * ssh-ed25519 ${ed25519}`, 1)).toMatchObject({ mark: 'revoked' });
    expect(parseKnownHostsLine(`@cert-authority *.example.com ssh-ed25519 ${ed25519}`, 1)).toMatchObject({
      mark: 'cert-authority',
    });
  });

  it('reads a hashed name', () => {
    const salt = Buffer.alloc(20, 1);
    const hash = createHmac('sha1', salt).update('web-1').digest();
    const field = `|1|${salt.toString('base64')}|${hash.toString('base64')}`;
    expect(parseKnownHostsLine(`${field} ssh-ed25519 ${ed25519}`, 1)).toMatchObject({
      names: { hashed: true, salt, hash },
    });
  });

  it.each([
    ['web-1', 'a line needs names'],
    ['web-1 ssh-ed25519', 'a line needs names'],
    ['@revoked web-1 ssh-ed25519', 'a line needs names'],
    [`@revokd web-1 ssh-ed25519 ${ed25519}`, 'the marker "@revokd" is unknown'],
    ['web-1 1024 35 1234567890', 'SSH protocol 1'],
    ['web-1 ssh-ed25519 AA!A', 'not base64'],
    ['web-1 ssh-ed25519 A', 'not base64'],
    ['web-1 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5', 'damaged or cut off'],
    [`web-1 ssh-ed25519 ${ed25519.slice(0, 60)}`, 'damaged or cut off'],
    [`web-1 ssh-rsa ${ed25519}`, 'the line says "ssh-rsa", but the key is of type "ssh-ed25519"'],
    [`web-1,, ssh-ed25519 ${ed25519}`, 'a host name is empty'],
    [`web-1,! ssh-ed25519 ${ed25519}`, 'a host name is empty'],
    [`|2|AAAA|AAAA ssh-ed25519 ${ed25519}`, 'not of the form'],
    [`|1|AAAA ssh-ed25519 ${ed25519}`, 'not of the form'],
    [`|1|AAAA|AAAA ssh-ed25519 ${ed25519}`, 'no SHA-1 hash'],
    [`${'a'.repeat(70_000)} ssh-ed25519 ${ed25519}`, 'too long'],
  ])('reports %.60j', (line, fault) => {
    expect(parseKnownHostsLine(line, 1)).toEqual({ fault: expect.stringContaining(fault) });
  });

  it('does not throw on anything', () => {
    const words = fc.constantFrom(
      '@revoked',
      'web-1',
      '|1|',
      '|',
      '!',
      ',',
      ' ',
      '#',
      'ssh-ed25519',
      ed25519,
      '\0',
      'é',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(words, fc.string())), (parts) => {
        const line = parseKnownHostsLine(parts.join(' '), 1);
        expect(line === null || 'fault' in line || line.lineNumber === 1).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});

function keyBlob(type: string, ...fields: Buffer[]): Buffer {
  return Buffer.concat(
    [Buffer.from(type), ...fields].flatMap((field) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(field.length);
      return [length, field];
    }),
  );
}
