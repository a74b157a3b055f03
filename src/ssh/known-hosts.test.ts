import { createHmac, randomBytes } from 'node:crypto';
import { hostNames, knownHostsLine, type HostNames, KnownHosts, type KnownKeys } from './known-hosts';

const web = { name: 'web-1', address: '203.0.113.10', port: 22 };
const webOnPort = { ...web, port: 2222 };

describe('hostNames', () => {
  it('looks for the address dialled and the inventory name', () => {
    expect(hostNames(web)).toEqual({ exact: ['203.0.113.10', 'web-1'], withoutPort: [] });
  });

  it('uses the form with the port where it is not 22', () => {
    expect(hostNames(webOnPort)).toEqual({
      exact: ['[203.0.113.10]:2222', '[web-1]:2222'],
      withoutPort: ['203.0.113.10', 'web-1'],
    });
  });

  it('looks for a name once', () => {
    expect(hostNames({ name: 'Web-1', address: 'web-1', port: 22 }).exact).toEqual(['web-1']);
  });

  it('brackets an IPv6 address only with a port', () => {
    expect(hostNames({ name: 'six', address: '2001:db8::1', port: 22 }).exact[0]).toBe('2001:db8::1');
    expect(hostNames({ name: 'six', address: '2001:db8::1', port: 2222 }).exact[0]).toBe('[2001:db8::1]:2222');
  });
});

describe('KnownHosts', () => {
  it('accepts a key that stands under the address or under the inventory name', () => {
    const file = KnownHosts.parse(`${entry('203.0.113.10', 'a')}\n${entry('web-1', 'b')}\n`);
    expect(file.verify(hostNames(web), key('a'))).toBe('match');
    expect(file.verify(hostNames(web), key('b'))).toBe('match');
    expect(file.verify(hostNames(web), key('c'))).toBe('absent');
  });

  it("never accepts another host's key", () => {
    const file = KnownHosts.parse(`${entry('web-1', 'a')}\n${entry('web-2', 'b')}\n`);
    expect(file.verify(hostNames(web), key('b'))).toBe('absent');
    expect(found(file, hostNames(web)).keys.map((line) => line.key)).toEqual([key('a')]);
  });

  it('knows several keys of a host, of one type and of several', () => {
    const file = KnownHosts.parse(
      [entry('web-1', 'old'), entry('web-1', 'new'), entry('web-1', 'r', 'ssh-rsa')].join('\n'),
    );
    expect(file.verify(hostNames(web), key('old'))).toBe('match');
    expect(file.verify(hostNames(web), key('new'))).toBe('match');
    expect(file.verify(hostNames(web), key('r', 'ssh-rsa'))).toBe('match');
    expect(file.keyTypes(hostNames(web))).toEqual(['ssh-ed25519', 'ssh-rsa']);
  });

  it('asks for the key types it knows, and only for those that can be verified', () => {
    const file = KnownHosts.parse(
      [entry('web-1', 'a', 'ssh-rsa'), entry('web-1', 'b', 'ecdsa-sha2-nistp384'), entry('web-1', 'c', 'ssh-dss')].join(
        '\n',
      ),
    );
    expect(file.keyTypes(hostNames(web))).toEqual(['ecdsa-sha2-nistp384', 'ssh-rsa']);
    expect(file.keyTypes(hostNames({ ...web, name: 'other', address: 'other' }))).toEqual([]);
  });

  it('tells ports apart, and does not take a key under a port for one under another', () => {
    const file = KnownHosts.parse(entry('[web-1]:2222', 'a'));
    expect(file.verify(hostNames(webOnPort), key('a'))).toBe('match');
    expect(file.verify(hostNames(web), key('a'))).toBe('absent');
    expect(file.verify(hostNames({ ...web, port: 2200 }), key('a'))).toBe('absent');
  });

  it('accepts a key under the bare name on another port, as ssh does, but expects none there', () => {
    const file = KnownHosts.parse(entry('web-1', 'a'));
    expect(file.verify(hostNames(webOnPort), key('a'))).toBe('match');
    expect(file.keyTypes(hostNames(webOnPort))).toEqual(['ssh-ed25519']);
    expect(found(file, hostNames(webOnPort))).toMatchObject({ keys: [], keysWithoutPort: [{ key: key('a') }] });
  });

  it('matches patterns and honours negation', () => {
    const file = KnownHosts.parse(`${entry('*.example.com,!db.example.com', 'a')}\n${entry('10.0.?.*', 'b')}`);
    const at = (name: string): HostNames => hostNames({ name, address: name, port: 22 });
    expect(file.verify(at('web.example.com'), key('a'))).toBe('match');
    expect(file.verify(at('db.example.com'), key('a'))).toBe('absent');
    expect(file.verify(at('10.0.3.77'), key('b'))).toBe('match');
    expect(file.keyTypes(at('db.example.com'))).toEqual([]);
  });

  it('puts a revoked key before anything else', () => {
    const file = KnownHosts.parse(`${entry('web-1', 'a')}\n@revoked * ${keyFields('a')}\n`);
    expect(file.verify(hostNames(web), key('a'))).toBe('revoked');
    const elsewhere = KnownHosts.parse(`${entry('web-1', 'a')}\n@revoked web-2 ${keyFields('a')}\n`);
    expect(elsewhere.verify(hostNames(web), key('a'))).toBe('match');
  });

  it('revokes under the bare name and under the one with the port', () => {
    for (const name of ['web-1', '[web-1]:2222']) {
      const file = KnownHosts.parse(`${entry('[web-1]:2222', 'a')}\n@revoked ${name} ${keyFields('a')}\n`);
      expect(file.verify(hostNames(webOnPort), key('a'))).toBe('revoked');
    }
  });

  it('does not take an authority for a key of the host', () => {
    const file = KnownHosts.parse(`@cert-authority web-1 ${keyFields('ca')}`);
    expect(file.verify(hostNames(web), key('ca'))).toBe('absent');
    expect(file.keyTypes(hostNames(web))).toEqual([]);
    expect(found(file, hostNames(web))).toMatchObject({ keys: [], authorities: [{ lineNumber: 1 }] });
  });

  it('finds hashed names, for the name, the address and the form with the port', () => {
    for (const [name, target] of [
      ['web-1', web],
      ['203.0.113.10', web],
      ['[web-1]:2222', webOnPort],
    ] as const) {
      const file = KnownHosts.parse(`${hashedEntry('other', 'x')}\n${hashedEntry(name, 'a')}`);
      expect(file.verify(hostNames(target), key('a'))).toBe('match');
      expect(file.verify(hostNames(target), key('x'))).toBe('absent');
      expect(found(file, hostNames(target)).keys.map((line) => line.lineNumber)).toEqual([2]);
    }
  });

  it('asks for every type that hashed lines have until it has searched, then for those of the host', () => {
    const file = KnownHosts.parse(`${hashedEntry('web-1', 'a', 'ssh-rsa')}\n${hashedEntry('web-2', 'b')}`);
    expect(file.keyTypes(hostNames(web))).toEqual(['ssh-ed25519', 'ssh-rsa']);
    expect(file.remembered(hostNames(web))).toBeNull();
    found(file, hostNames(web));
    expect(file.remembered(hostNames(web))).not.toBeNull();
    expect(file.keyTypes(hostNames(web))).toEqual(['ssh-rsa']);
  });

  it('reports broken lines by number and keeps the others', () => {
    const file = KnownHosts.parse(`# keys\nweb-1 nonsense\n${entry('web-1', 'a')}\n@wrong web-1 ${keyFields('b')}\n`);
    expect(file.faults.map((fault) => fault.lineNumber)).toEqual([2, 4]);
    expect(file.lineCount).toBe(1);
    expect(file.verify(hostNames(web), key('a'))).toBe('match');
  });

  it('accepts the line it suggests', () => {
    for (const target of [web, webOnPort, { name: 'six', address: '2001:db8::1', port: 22 }]) {
      const line = knownHostsLine(hostNames(target), 'ssh-ed25519', key('a'));
      expect(KnownHosts.parse(line).verify(hostNames(target), key('a'))).toBe('match');
    }
  });

  it('serves 10,000 hosts from 10,000 hashed lines without a search for each', () => {
    const text = Array.from({ length: 10_000 }, (_, at) => hashedEntry(`host-${at}`, `key-${at}`)).join('\n');
    const file = KnownHosts.parse(text);
    const startedMs = performance.now();
    for (let at = 0; at < 10_000; at += 1) {
      const names = hostNames({ name: `host-${at}`, address: `10.0.${at >> 8}.${at & 255}`, port: 22 });
      expect(file.keyTypes(names)).toEqual(['ssh-ed25519']);
      if (file.verify(names, key(`key-${at}`)) !== 'match') throw new Error(`host-${at}`);
    }
    // A search of every line for every host would be a hundred million hashes, minutes of them.
    expect(performance.now() - startedMs).toBeLessThan(30_000);
  });

  it('serves 10,000 hosts that all have the same key', () => {
    const text = Array.from({ length: 10_000 }, (_, at) => entry(`host-${at}`, 'cloned')).join('\n');
    const file = KnownHosts.parse(text);
    const startedMs = performance.now();
    for (let at = 0; at < 10_000; at += 1) {
      const names = hostNames({ name: `host-${at}`, address: `host-${at}`, port: 22 });
      if (file.verify(names, key('cloned')) !== 'match') throw new Error(`host-${at}`);
    }
    expect(performance.now() - startedMs).toBeLessThan(5000);
  });

  it('searches hashed lines in pieces, once', () => {
    const text = Array.from({ length: 1000 }, (_, at) => hashedEntry(`host-${at}`, `key-${at}`)).join('\n');
    const file = KnownHosts.parse(text);
    const names = hostNames({ name: 'host-777', address: 'host-777', port: 22 });
    expect([...file.search(names)].length).toBeGreaterThan(2);
    expect([...file.search(names)]).toHaveLength(0);
    expect(file.remembered(names)?.keys.map((line) => line.lineNumber)).toEqual([778]);
  });
});

function found(file: KnownHosts, names: HostNames): KnownKeys {
  const search = file.search(names);
  for (;;) {
    const step = search.next();
    if (step.done === true) return step.value;
  }
}

/** A blob of the shape of a key; what is in it does not matter to the file. */
function key(seed: string, type = 'ssh-ed25519'): string {
  const fields = [type, seed.padEnd(32, '.')];
  return Buffer.concat(
    fields.flatMap((field) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(field.length);
      return [length, Buffer.from(field)];
    }),
  ).toString('base64');
}

function keyFields(seed: string, type = 'ssh-ed25519'): string {
  return `${type} ${key(seed, type)}`;
}

function entry(names: string, seed: string, type = 'ssh-ed25519'): string {
  return `${names} ${keyFields(seed, type)} comment`;
}

function hashedEntry(name: string, seed: string, type = 'ssh-ed25519'): string {
  const salt = randomBytes(20);
  const hash = createHmac('sha1', salt).update(name).digest('base64');
  return `|1|${salt.toString('base64')}|${hash} ${keyFields(seed, type)}`;
}
