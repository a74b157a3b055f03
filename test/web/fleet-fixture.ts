import { defaultSsh } from '../../src/config/resolve-host';
import { hostDocument, type DocumentContext } from '../../src/document/host-document';
import type { PortVerdict } from '../../src/exposure/verdict';
import { withOutlook } from '../../src/fleet/known';
import { newStatus, type HostStatus, type Known } from '../../src/fleet/status';
import type { FailureReason } from '../../src/failure';
import type { Host } from '../../src/inventory/host';
import { defaultPolicy } from '../../src/policy/defaults';
import type { StackPolicy } from '../../src/policy/policy';
import { readFacts } from '../../src/reading';
import type { Finding } from '../../src/signal/signal';
import type { WebBackend } from '../../src/web/backend';
import { hostDigest } from '../../src/web/fleet-list/digest';

/** When the tests' fleets are looked at: 2026-11-22 21:30:00 UTC. */
export const fixtureNowMs = Date.UTC(2026, 10, 22, 21, 30);
/** The monotonic clock at that moment, in milliseconds. */
export const fixtureMonotonicMs = 5_000_000;

const nowSeconds = fixtureNowMs / 1000;
const daySeconds = 86_400;

/** What is special about one host of a test's fleet. */
export interface HostSketch {
  readonly name: string;
  readonly stack?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Days for which a restart has been needed; left out: none is needed. */
  readonly neededForDays?: number;
  readonly verdict?: 'unknown';
  readonly packages?: readonly string[];
  readonly because?: string;
  readonly exposure?: 'exposed' | 'not_exposed' | 'unknown';
  readonly ports?: readonly PortVerdict[];
  readonly failure?: { readonly reason: FailureReason; readonly message: string };
  readonly restarting?: true;
  /** Not probed yet, or never with success. */
  readonly known?: false;
}

const httpsPort: PortVerdict = {
  proto: 'tcp',
  port: 443,
  family: 'ipv4',
  openTo: 'anywhere',
  because: 'accepted by table inet filter, chain input, rule 7',
  ignored: false,
};

/** The status of a host as the fleet would hold it. */
export function sketchStatus(sketch: HostSketch): HostStatus {
  const status = newStatus(sketchHost(sketch));
  const { failure = null } = sketch;
  const known = sketch.known === false ? null : sketchKnown(sketch);
  if (known === null && failure === null) return { ...status, nextProbeMs: fixtureNowMs + 1000 };
  return {
    ...status,
    attempt: { atMs: fixtureNowMs - 42_000, durationSeconds: 0.041, failure },
    known,
    failuresInRow: failure === null ? 0 : 3,
    probes: 5,
    restartingSinceMonotonicMs: sketch.restarting === true ? fixtureMonotonicMs - 20_000 : null,
    nextProbeMs: fixtureNowMs + 258_000,
  };
}

function sketchHost({ name, stack = 'default', labels = {} }: HostSketch): Host {
  return {
    name,
    address: `${name}.example.net`,
    stack,
    labels,
    ssh: defaultSsh,
    exposure: { mode: 'evaluate', public: 'auto', edge: null, ignore: [] },
  };
}

function sketchKnown(sketch: HostSketch): Known {
  const { neededForDays, packages = ['linux-image-6.1.0-27-amd64'], exposure = 'not_exposed', because } = sketch;
  const needed = neededForDays !== undefined;
  const sinceSeconds = needed ? nowSeconds - neededForDays * daySeconds : null;
  const isExposed = exposure === 'exposed';
  const finding: Finding = needed
    ? { says: 'required', because: because ?? '/run/reboot-required exists', since: [], packages }
    : { says: sketch.verdict ?? 'not_required', because: because ?? 'the running kernel is the newest installed' };
  return withOutlook({
    atMs: fixtureNowMs - 42_000,
    atMonotonicMs: fixtureMonotonicMs - 42_000,
    restart: {
      verdict: needed ? 'required' : (sketch.verdict ?? 'not_required'),
      sinceSeconds,
      evidence: needed ? 'birth' : null,
      reasons: needed ? ['flag', 'kernel'] : [],
      packages: needed ? packages : [],
      packagesCut: false,
      findings: [{ signal: 'flag', finding }],
      survivedRestart: false,
      boot: {
        id: 'a',
        atSeconds: nowSeconds - 90 * daySeconds,
        earliestAtSeconds: nowSeconds - 90 * daySeconds,
        latestAtSeconds: nowSeconds - 90 * daySeconds,
        nowSeconds,
      },
    },
    facts: readFacts(new Map()),
    hostClockOffsetSeconds: nowSeconds - fixtureMonotonicMs / 1000,
    exposure: {
      verdict: exposure,
      basis: exposure === 'unknown' ? 'assumed' : 'proven',
      because: isExposed ? 'tcp/443 accepts connections from anywhere' : 'no port accepts connections from anywhere',
      ports: sketch.ports ?? (isExposed ? [httpsPort] : []),
    },
  });
}

export interface BackendSketch extends Partial<WebBackend> {
  readonly hosts?: readonly HostSketch[];
  readonly policies?: ReadonlyMap<string, StackPolicy>;
}

/** An exporter that holds a fleet still, for tests of the web side; anything of it can be replaced. */
export function sketchBackend({ hosts = [], policies, ...others }: BackendSketch): WebBackend {
  const statuses = new Map(hosts.map((sketch) => [sketch.name, sketchStatus(sketch)]));
  const policy = (stack: string): StackPolicy => policies?.get(stack) ?? defaultPolicy;
  const contextOf = ({ host }: HostStatus): DocumentContext => ({
    monotonicMs: fixtureMonotonicMs,
    staleAfterSeconds: 3600,
    isScheduled: true,
    policy: policy(host.stack),
  });
  return {
    log: { debug() {}, info() {}, warn() {}, error() {} },
    exposition: { render: () => Promise.resolve({ pieces: [], bytes: 0 }) },
    nowMs: () => fixtureNowMs,
    monotonicMs: () => performance.now(),
    isReady: () => true,
    digests: () => [...statuses.values()].map((status) => hostDigest(status, contextOf(status))),
    document: (name) => {
      const status = statuses.get(name);
      return status === undefined ? null : hostDocument(status, contextOf(status));
    },
    policy,
    probe: (name) => (statuses.has(name) ? Promise.resolve() : null),
    hostMetrics: () => '',
    refreshTokenFile: () => null,
    reload: null,
    ...others,
  };
}

/** A fleet in which everything happens: every urgency, every way of failing that pages tell apart. */
export const mixedFleet: readonly HostSketch[] = [
  { name: 'web-1', stack: 'shop', labels: { team: 'web' }, neededForDays: 17.2, exposure: 'exposed' },
  {
    name: 'web-2',
    stack: 'shop',
    labels: { team: 'web' },
    neededForDays: 3.5,
    exposure: 'exposed',
    packages: ['libc6', 'openssl', 'dbus', 'systemd', 'linux-image-6.1.0-27-amd64'],
  },
  { name: 'web-10', stack: 'shop', labels: { team: 'web' }, exposure: 'exposed' },
  { name: 'db-1', stack: 'shop', labels: { team: 'data' }, neededForDays: 16 },
  { name: 'db-2', stack: 'shop', labels: { team: 'data' }, neededForDays: 0.2 },
  { name: 'mail', stack: 'office', exposure: 'unknown', neededForDays: 1 },
  { name: 'wiki', stack: 'office', verdict: 'unknown', because: 'no flag, but nothing on this host would write one' },
  {
    name: 'build-1',
    stack: 'ci',
    failure: { reason: 'timeout', message: 'not done after 10 s: no banner from 192.0.2.4 port 22' },
  },
  {
    name: 'build-2',
    stack: 'ci',
    failure: { reason: 'connect', message: 'connect ECONNREFUSED 192.0.2.5:22' },
    restarting: true,
    neededForDays: 2,
  },
  {
    name: 'build-3',
    stack: 'ci',
    failure: { reason: 'host_key', message: 'its ED25519 key is not the one in known_hosts line 12' },
    known: false,
  },
  { name: 'new', stack: 'ci', known: false },
  { name: 'gateway', stack: 'default', exposure: 'exposed' },
];
