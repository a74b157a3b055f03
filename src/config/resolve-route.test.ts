import type { HostEntry, SshOverrides } from '../inventory/entry';
import type { SshServer } from '../inventory/host';
import { readJumps } from '../inventory/jump';
import { RouteFault, Routes, type Aliases } from './resolve-route';

const noAliases: Aliases = { lookUp: () => null };

/** Reaches `web-1`, in a fleet of hosts with their own ssh settings below those at the top. */
function reach(
  hosts: Readonly<Record<string, SshOverrides & { readonly address?: string }>>,
  top: SshOverrides,
  name = 'web-1',
  aliases = noAliases,
) {
  const layered = (host: string) => {
    const own = hosts[host];
    if (own === undefined) return null;
    const { address = host, ...ssh } = own;
    return { entry: { name: host, address, ssh } as HostEntry, layers: [ssh, {}, top] };
  };
  const routes = new Routes(aliases, layered);
  const one = layered(name);
  if (one === null) throw new Error('no such host');
  return { routes, reached: routes.resolve(one) };
}

function jump(written: string): SshOverrides {
  const read = readJumps(written);
  if (!read.ok) throw new Error(read.message);
  return { proxyJump: read.value };
}

/** The servers on the way, first the one that is dialled first, as `user@address:port`. */
function way(via: SshServer | null): string[] {
  return via === null ? [] : [...way(via.ssh.via), `${via.ssh.user}@${via.address}:${via.ssh.port}`];
}

const top = { user: 'probe', identityFiles: ['/k'], knownHosts: '/known' };

test('a host goes through its bastions in their order, each with the login of the section that names them', () => {
  const { reached } = reach({ 'web-1': { user: 'ubuntu', port: 2200 } }, { ...top, ...jump('b1,ops@b2:2222') });
  expect(reached.ssh.user).toBe('ubuntu');
  expect(way(reached.ssh.via)).toEqual(['probe@b1:22', 'ops@b2:2222']);
  expect(reached.ssh.via?.ssh).toMatchObject({ identityFiles: ['/k'], knownHosts: '/known' });
});

test('a host that names its bastion itself has its own login there as well, but not its own oddities', () => {
  const own = { user: 'ubuntu', legacyAlgorithms: ['ssh-rsa'], hostKeyAlias: 'x', port: 5, ...jump('b1') };
  const { reached } = reach({ 'web-1': own }, top);
  expect(way(reached.ssh.via)).toEqual(['ubuntu@b1:22']);
  expect(reached.ssh.via?.ssh).toMatchObject({ legacyAlgorithms: [], hostKeyAlias: null });
});

test('a bastion can be a host of the inventory', () => {
  const hosts = { 'web-1': {}, b1: { address: '203.0.113.1', port: 2222, user: 'gate' } };
  expect(way(reach(hosts, { ...top, ...jump('b1') }).reached.ssh.via)).toEqual(['gate@203.0.113.1:2222']);
  expect(way(reach(hosts, { ...top, ...jump('ops@b1') }).reached.ssh.via)).toEqual(['ops@203.0.113.1:2222']);
});

test('bastions are not reached through themselves where a section for all hosts names them', () => {
  const hosts = { 'web-1': {}, b1: { address: '203.0.113.1' }, b2: {} };
  const all = { ...top, ...jump('b1,b2') };
  expect(way(reach(hosts, all).reached.ssh.via)).toEqual(['probe@203.0.113.1:22', 'probe@b2:22']);
  expect(way(reach(hosts, all, 'b1').reached.ssh.via)).toEqual([]);
  expect(way(reach(hosts, all, 'b2').reached.ssh.via)).toEqual(['probe@203.0.113.1:22']);
  // Known by another name, but at the same address.
  const other = { gate: { address: '203.0.113.1' } };
  expect(way(reach(other, { ...top, ...jump('203.0.113.1') }, 'gate').reached.ssh.via)).toEqual([]);
});

test('a host can opt out of the bastion of all', () => {
  expect(reach({ 'web-1': jump('none') }, { ...top, ...jump('b1') }).reached.ssh.via).toBeNull();
});

test('hosts share their bastions', () => {
  const { routes, reached } = reach({ 'web-1': {} }, { ...top, ...jump('b1,b2') });
  const entry = { name: 'web-2', address: 'web-2', ssh: {} } as HostEntry;
  const other = routes.resolve({ entry, layers: [{}, {}, { ...top, ...jump('b1,b2') }] });
  expect(other.ssh.via).toBe(reached.ssh.via);
});

test('a way in a circle is a fault', () => {
  const hosts = { 'web-1': jump('b1'), b1: jump('b2'), b2: jump('b1') };
  expect(() => reach(hosts, top)).toThrow(RouteFault);
  expect(() => reach(hosts, top)).toThrow('web-1 → b1 → b2 → b1');
});

test('what an alias file says comes after all else, and its bastion has its own login', () => {
  const asked: unknown[] = [];
  const aliases: Aliases = {
    lookUp: (file, alias, said) => {
      asked.push([file, alias, said.user]);
      if (alias === 'web-1')
        return { address: '10.0.0.1', ssh: { user: 'x', port: 99, ...jump('b1') }, algorithms: null };
      return alias === 'b1' ? { address: '203.0.113.1', ssh: { user: 'gate' }, algorithms: null } : null;
    },
  };
  const { reached } = reach({ 'web-1': { port: 22 } }, { identityFiles: ['/k'], configFile: '/c' }, 'web-1', aliases);
  expect(reached).toMatchObject({ address: '10.0.0.1', ssh: { user: 'x', port: 22 } });
  expect(way(reached.ssh.via)).toEqual(['gate@203.0.113.1:22']);
  expect(reached.ssh.via?.ssh.identityFiles).toEqual(['/k']);
  expect(asked).toContainEqual(['/c', 'web-1', undefined]);
});

test('a bastion is looked up in the file of the host, also where only that names the file', () => {
  const aliases: Aliases = {
    lookUp: (file, alias) => {
      if (alias === 'web-1') return { address: null, ssh: jump('b1'), algorithms: null };
      return { address: `${alias}.of${file}`, ssh: {}, algorithms: null };
    },
  };
  const own = { configFile: '/c' };
  expect(way(reach({ 'web-1': own }, top, 'web-1', aliases).reached.ssh.via)).toEqual(['probe@b1.of/c:22']);
  const named = { ...top, ...jump('b2') };
  expect(way(reach({ 'web-1': own }, named, 'web-1', aliases).reached.ssh.via)).toEqual(['probe@b2.of/c:22']);
  const otherwise = { ...named, configFile: '/d' };
  expect(way(reach({ 'web-1': own }, otherwise, 'web-1', aliases).reached.ssh.via)).toEqual(['probe@b2.of/d:22']);
});
