import { ProbeFailure } from '../failure';
import { AgentFault, listIdentities, requestSignature } from './agent-socket';
import { isCertificate, parseCertificate } from './certificate';
import { keyFingerprint, keyTypeOf } from './host-key';
import type { Certified } from './login';
import { signatureAlgorithms } from './signature';
import type { Signer } from './signer';

/** How long the list of an agent's keys is taken for unchanged: a fleet is not to ask for it once a host. */
const listMs = 5000;
/** How long an agent that failed is left alone. */
const failedMs = 1000;

/** What an agent can sign with, of what this exporter knows to use. */
export interface AgentKeys {
  readonly signers: readonly Signer[];
  readonly certified: readonly Certified[];
  /** How many more it has, of kinds that are not supported. */
  readonly others: number;
}

/** The agents that hosts name, each asked for its list now and then. */
export class Agents {
  readonly #agents = new Map<string, Agent>();
  readonly #nowMs: () => number;
  readonly #environment: Readonly<Record<string, string | undefined>>;

  /** `nowMs` is a monotonic clock; `environment` has the variables that may name a socket. */
  constructor(nowMs: () => number, environment: Readonly<Record<string, string | undefined>>) {
    this.#nowMs = nowMs;
    this.#environment = environment;
  }

  /** The agent that `identity_agent` means. Throws a ProbeFailure `auth` where the variable is not set. */
  find(identityAgent: string): Agent {
    const path = agentPath(identityAgent, this.#environment);
    if (path === null) throw new ProbeFailure('auth', unsetAgent(identityAgent));
    const known = this.#agents.get(path);
    if (known !== undefined) return known;
    const agent = new Agent(path, this.#nowMs);
    this.#agents.set(path, agent);
    return agent;
  }
}

/** The socket's path, as ssh_config(5) reads IdentityAgent; null where a variable should have it and does not. */
export function agentPath(
  identityAgent: string,
  environment: Readonly<Record<string, string | undefined>>,
): string | null {
  if (identityAgent !== 'SSH_AUTH_SOCK' && !identityAgent.startsWith('$')) return identityAgent;
  const path = environment[identityAgent.replace(/^\$/, '')];
  return path === undefined || path === '' ? null : path;
}

/** What is wrong where the variable that should name an agent's socket is not set. */
export function unsetAgent(identityAgent: string): string {
  return `no agent can be asked: the variable ${identityAgent.replace(/^\$/, '')} is not set`;
}

/** One ssh-agent, by the path of its socket. */
export class Agent {
  readonly path: string;
  readonly #nowMs: () => number;
  #list: Promise<AgentKeys> | null = null;
  #listedAtMs = 0;
  #keptMs = 0;
  #seen: { readonly blobs: readonly Buffer[]; readonly keys: AgentKeys } | null = null;

  constructor(path: string, nowMs: () => number) {
    this.path = path;
    this.#nowMs = nowMs;
  }

  /** What it has. Rejects with a ProbeFailure `auth`, after five seconds at the latest. */
  keys(): Promise<AgentKeys> {
    const nowMs = this.#nowMs();
    if (this.#list !== null && nowMs - this.#listedAtMs < this.#keptMs) return this.#list;
    const list = this.#ask();
    this.#list = list;
    this.#listedAtMs = nowMs;
    // Whoever asks while the question is under way waits for the same answer.
    this.#keptMs = Infinity;
    const settled = (keptMs: number): void => {
      this.#listedAtMs = this.#nowMs();
      this.#keptMs = keptMs;
    };
    list.then(
      () => settled(listMs),
      () => settled(failedMs),
    );
    return list;
  }

  /** As `keys`; that it has none is a failure, too. */
  async someKeys(): Promise<AgentKeys> {
    const keys = await this.keys();
    if (keys.signers.length + keys.certified.length > 0) return keys;
    const why = keys.others === 0 ? 'has no key, or is locked' : 'has only keys of kinds that are not supported';
    throw new ProbeFailure('auth', `the agent at ${this.path} ${why}; see ssh-add -l`);
  }

  async #ask(): Promise<AgentKeys> {
    try {
      const blobs = await listIdentities(this.path);
      const seen = this.#seen;
      const same = seen?.blobs.length === blobs.length && seen.blobs.every((blob, at) => blobs[at]?.equals(blob));
      if (seen !== null && same) return seen.keys;
      const keys = usable(this.path, blobs);
      this.#seen = { blobs, keys };
      return keys;
    } catch (error) {
      throw agentFailure(this.path, error);
    }
  }
}

function usable(path: string, blobs: readonly Buffer[]): AgentKeys {
  const signers = blobs.filter((blob) => isKey(blob)).map((blob) => new AgentKey(path, blob, blob));
  const certified = blobs.filter(isCertificate).flatMap((blob) => {
    const certificate = parseCertificate(blob);
    if (certificate === null) return [];
    // Some agents have the key only together with its certificate.
    return [{ certificate, signer: new AgentKey(path, certificate.key, blob) }];
  });
  return { signers, certified, others: blobs.length - signers.length - certified.length };
}

function isKey(blob: Buffer): boolean {
  return signatureAlgorithms(keyTypeOf(blob) ?? '').length > 0;
}

/** A key whose private half an agent has. */
class AgentKey implements Signer {
  readonly agent: string;
  readonly type: string;
  readonly blob: Buffer;
  readonly fingerprint: string;
  readonly #path: string;
  readonly #identity: Buffer;

  /** `identity` is how the agent knows it: the public key, or a certificate. */
  constructor(path: string, blob: Buffer, identity: Buffer) {
    this.agent = `the agent at ${path}`;
    this.type = keyTypeOf(blob) ?? 'unknown';
    this.blob = blob;
    this.fingerprint = keyFingerprint(blob);
    this.#path = path;
    this.#identity = identity;
  }

  async sign(algorithm: string, data: Buffer, signal: AbortSignal): Promise<Buffer> {
    try {
      return await requestSignature(this.#path, { blob: this.#identity, algorithm, data }, signal);
    } catch (error) {
      throw agentFailure(this.#path, error, `sign with ${this.type} ${this.fingerprint}`);
    }
  }
}

function agentFailure(path: string, error: unknown, what = 'be used'): ProbeFailure {
  if (!(error instanceof AgentFault)) throw error;
  return new ProbeFailure('auth', `the agent at ${path} can't ${what}: ${error.message}`, { cause: error });
}
