import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { dirname, resolve } from 'node:path';
import type { SshOverrides } from '../../inventory/entry';
import type { AlgorithmChoice } from '../../inventory/host';
import { readJumps } from '../../inventory/jump';
import { readAddress } from '../../inventory/name';
import { ownAccount } from '../own-account';
import type { Reading } from '../reading';
import { RouteFault, type AliasAnswer } from '../resolve-route';
import { readAlgorithmList } from './algorithm-list';
import type { Settled } from './evaluate';
import type { Line } from './lines';
import { expandTokens, expandVariables } from './words';

/** Who this program is, for the tokens of paths. */
export interface Local {
  readonly user: string;
  readonly userId: number;
  readonly home: string;
  readonly hostName: string;
  readonly environment: NodeJS.ProcessEnv;
}

export function thisLocal(): Local {
  return { ...ownAccount(), hostName: hostname(), environment: process.env };
}

/** What a file is for that an ssh_config names. */
export type NamedKind = 'identity' | 'certificate' | 'known_hosts';

/** What it takes to read what a file says of a host. */
export interface SettingsContext {
  /** What was asked for. */
  readonly alias: string;
  /** What goes before the file. */
  readonly said: SshOverrides;
  readonly defaultUser: string;
  readonly local: Local;
  /** Something that is not done, with its line. */
  readonly warn: (line: Line, message: string) => void;
  /** A file that is named, with its line. */
  readonly named: (line: Line, kind: NamedKind, path: string) => void;
}

/** Turns what a file says of a host into settings. Throws a RouteFault where that can't be done, or not safely. */
export function settingsOf(settled: Settled, context: SettingsContext): AliasAnswer {
  const { options } = settled;
  warnOfOthers(settled, context);
  const one = (keyword: string): Line | null => options.get(keyword)?.[0] ?? null;
  refuseCommand(one('proxycommand'));
  const revoked = one('revokedhostkeys');
  if (revoked !== null && !isNone(revoked))
    throw fault(
      revoked,
      'RevokedHostKeys is not read: mark the keys with `@revoked` in known_hosts, and remove the line',
    );
  const port = numberOf(one('port'), 65_535);
  const user = wordOf(one('user'));
  const alias = wordOf(one('hostkeyalias'));
  const tokens = tokensOf(settled, context, port ?? 22, user, alias);
  const path = (line: Line, written: string): string => pathOf(line, written, tokens, context.local);
  const files = (keyword: string, kind: NamedKind, isSaid: boolean): readonly string[] | undefined => {
    const lines = options.get(keyword);
    if (lines === undefined || isSaid) return undefined;
    return lines
      .filter((line) => !isNone(line))
      .map((line) => {
        const file = path(line, line.words[0] ?? '');
        context.named(line, kind, file);
        return file;
      });
  };
  const timeout = one('connecttimeout');
  const jump = one('proxyjump');
  return {
    address: addressOf(settled, one('hostname')),
    ssh: {
      user: user ?? undefined,
      port: port ?? undefined,
      identityFiles: files('identityfile', 'identity', context.said.identityFiles !== undefined),
      certificateFiles: files('certificatefile', 'certificate', context.said.certificateFiles !== undefined),
      identityAgent: agentOf(one('identityagent'), path),
      knownHosts: knownHostsOf(one('userknownhostsfile'), one('globalknownhostsfile'), path, context),
      hostKeyAlias: alias ?? undefined,
      addressFamily: familyOf(one('addressfamily')),
      connectTimeoutSeconds: timeout === null || isNone(timeout) ? undefined : secondsOf(timeout),
      proxyJump: jump === null ? undefined : valueOf(jump, readJumps(withoutComment(jump))),
    },
    algorithms: algorithmsOf(options, context),
  };
}

function algorithmsOf(options: Settled['options'], { said, warn }: SettingsContext): AlgorithmChoice | null {
  const read = (keyword: string, kind: keyof AlgorithmChoice): readonly string[] | null => {
    const line = options.get(keyword)?.[0];
    if (line === undefined) return null;
    const { names, notOptedInto } = readAlgorithmList(kind, line.words[0] ?? '', said.legacyAlgorithms ?? []);
    const option = `\`ssh: { legacy_algorithms: [${notOptedInto.join(', ')}] }\``;
    if (names?.length === 0) {
      const hint = notOptedInto.length === 0 ? '' : `; ${option} opts into what it names`;
      throw fault(line, `it leaves no algorithm that is used here${hint}`);
    }
    if (notOptedInto.length > 0) warn(line, `${notOptedInto.join(', ')} is offered only with ${option}`);
    return names;
  };
  const choice: AlgorithmChoice = {
    keyExchange: read('kexalgorithms', 'keyExchange'),
    hostKey: read('hostkeyalgorithms', 'hostKey'),
    ciphers: read('ciphers', 'ciphers'),
    macs: read('macs', 'macs'),
  };
  return Object.values(choice).every((names) => names === null) ? null : choice;
}

/** What is neither done nor of no consequence is told. */
function warnOfOthers({ options, unknown }: Settled, { warn }: SettingsContext): void {
  for (const { line, criterion } of unknown)
    warn(line, `\`Match ${criterion}\` is not evaluated here, as nothing is run for it: its lines are left out`);
  const said = (keyword: string): Line | undefined => options.get(keyword)?.[0];
  const checking = said('stricthostkeychecking');
  if (checking !== undefined && !['yes', 'ask', 'true'].includes(checking.words[0]?.toLowerCase() ?? ''))
    warn(checking, 'StrictHostKeyChecking is not obeyed: host keys are always checked strictly');
  const canonical = said('canonicalizehostname');
  if (canonical !== undefined && !['no', 'none', 'false'].includes(canonical.words[0]?.toLowerCase() ?? ''))
    warn(canonical, 'CanonicalizeHostname is not done: names are looked up as they are');
  for (const name of ['BindAddress', 'BindInterface', 'KnownHostsCommand', 'PKCS11Provider']) {
    const line = said(name.toLowerCase());
    if (line !== undefined && !isNone(line)) warn(line, `${name} is not obeyed here`);
  }
}

/** A command is never run, and to dial the host in its place would be another way than the one that is meant. */
function refuseCommand(line: Line | null): void {
  if (line === null || isNone(line)) return;
  throw fault(
    line,
    'its way is a ProxyCommand, and commands are never run: use ProxyJump, or `proxy_jump` or `proxy` in the configuration',
  );
}

function addressOf({ hostName }: Settled, line: Line | null): string | null {
  if (line === null) return null;
  return valueOf(line, readAddress(hostName));
}

function knownHostsOf(
  user: Line | null,
  all: Line | null,
  path: (line: Line, written: string) => string,
  { said, warn, named }: SettingsContext,
): string | undefined {
  if (said.knownHosts !== undefined) return undefined;
  const own = user === null || isNone(user) ? [] : user.words.map((word) => path(user, word));
  const global = all === null || isNone(all) ? [] : all.words.map((word) => path(all, word));
  const [first, ...others] = [...own, ...global];
  const line = user ?? all;
  if (others.length > 0 && line !== null)
    warn(line, `of several known_hosts files the first is read; not ${others.join(', ')}`);
  if (first !== undefined && line !== null) named(line, 'known_hosts', first);
  return first;
}

function agentOf(line: Line | null, path: (line: Line, written: string) => string): string | null | undefined {
  const written = wordOf(line);
  if (line === null || written === null) return undefined;
  if (written === 'none') return null;
  return written === 'SSH_AUTH_SOCK' || written.startsWith('$') ? written : path(line, written);
}

function familyOf(line: Line | null): SshOverrides['addressFamily'] {
  const word = wordOf(line)?.toLowerCase();
  if (line === null || word === undefined) return undefined;
  if (word !== 'any' && word !== 'inet' && word !== 'inet6')
    throw fault(line, `\`${word}\` is no address family: any, inet or inet6`);
  return word;
}

/** `7` or, as in sshd_config(5), TIME FORMATS, `1m30s`. */
function secondsOf(line: Line): number {
  const text = line.words[0] ?? '';
  const units: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };
  const parts = [...text.matchAll(/(\d{1,9})([smhdw]?)/gi)];
  const seconds = parts.reduce(
    (sum, [, digits, unit]) => sum + Number(digits) * (units[(unit ?? '').toLowerCase()] ?? 0),
    0,
  );
  if (parts.map(([whole]) => whole).join('') !== text || seconds < 1)
    throw fault(line, `\`${text}\` is no time: write seconds`);
  return seconds;
}

function numberOf(line: Line | null, max: number): number | null {
  const text = wordOf(line);
  if (line === null || text === null) return null;
  const value = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (value < 1 || value > max) throw fault(line, `\`${text}\` is no port: it is a number from 1 to ${max}`);
  return value;
}

function wordOf(line: Line | null): string | null {
  if (line === null) return null;
  const word = line.words[0] ?? '';
  if (word === '') throw fault(line, 'its argument is empty');
  return word;
}

function isNone(line: Line): boolean {
  return line.words[0]?.toLowerCase() === 'none';
}

/** ProxyJump is read as a whole, not as words. */
function withoutComment({ rest }: Line): string {
  return rest.replace(/\s#.*$/s, '').trim();
}

function tokensOf(
  { hostName }: Settled,
  { alias, said, defaultUser, local }: SettingsContext,
  portRead: number,
  userRead: string | null,
  keyAlias: string | null,
): Readonly<Record<string, string>> {
  const port = String(said.port ?? portRead);
  const user = said.user ?? userRead ?? defaultUser;
  return {
    C: createHash('sha1').update(`${local.hostName}${hostName}${port}${user}`).digest('hex'),
    d: local.home,
    h: hostName,
    i: String(local.userId),
    k: said.hostKeyAlias ?? keyAlias ?? alias,
    L: local.hostName.split('.')[0] ?? '',
    l: local.hostName,
    n: alias,
    p: port,
    r: user,
    u: local.user,
  };
}

/** A path with its tokens; one that is not absolute is taken from the folder of its file, as this program has no other. */
function pathOf(line: Line, written: string, tokens: Readonly<Record<string, string>>, local: Local): string {
  const named = /^~(?=$|\/)/.test(written) ? local.home + written.slice(1) : written;
  if (named.startsWith('~'))
    throw fault(line, `\`${written}\` is the home folder of another user: write the whole path`);
  const expanded = valueOf(line, expandTokens(named, tokens));
  return resolve(dirname(line.file), valueOf(line, expandVariables(expanded, local.environment)));
}

function valueOf<T>(line: Line, reading: Reading<T>): T {
  if (!reading.ok) throw fault(line, reading.message);
  return reading.value;
}

function fault({ file, number }: Line, message: string): RouteFault {
  return new RouteFault(message, { file, line: number });
}
