import { type Algorithms, type Client, type ParsedKey, utils } from 'ssh2';
import { Interned } from '../interned';
import { strings } from './wire';

/** Members of ssh2's client that its types do not show. */
interface Inside {
  _remoteVer?: string;
  _protocol?: Protocol;
}

/** What ssh2 1.17 has in lib/protocol/Protocol.js, as far as it is used here. */
interface Protocol {
  _offer?: unknown;
  _identRaw?: Buffer;
  _remoteIdentRaw?: Buffer;
  readonly _decipher?: { _tag?: Buffer };
  /** Set while keys are exchanged; other messages wait in the queue for that long. */
  _kexinit?: unknown;
  _queue?: Buffer[];
  readonly _cipher: { encrypt(packet: Buffer): void };
  readonly _packetRW: { readonly write: PacketWriter };
  readonly _authsQueue: string[];
  readonly _handlers: { EXT_INFO?: (protocol: unknown, extensions: readonly Extension[]) => void };
  authPK(user: string, key: ParsedKey, algorithm?: string, toSign?: (data: Buffer) => void): void;
}

interface PacketWriter {
  readonly allocStart: number;
  alloc(length: number): Buffer;
  finalize(packet: Buffer): Buffer;
}

interface Extension {
  readonly name: string;
  readonly algs?: readonly string[];
}

/** The lists of algorithms that a connection would send if keys were exchanged again; never changed once made. */
const offers = new WeakMap<Algorithms, unknown>();

/** Any valid public key: what is wanted of it is that ssh2 takes it for one that it parsed. */
const sample = utils.parseKey('ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea');

/**
 * OpenSSH announces all its host keys after the login, and ssh2 has each of them proven, which costs the host a signature and
 * us a verification for an event that nobody hears. It does so only where the host's version says OpenSSH.
 */
export function forgetRemoteVersion(client: Client): void {
  (client as unknown as Inside)._remoteVer = '';
}

/**
 * A public key or a certificate as ssh2 takes it for a login. It has no private half: what signs is set by `signBy`. Named after the
 * algorithm rather than the type, an RSA key is not taken for one that signs with SHA-1.
 */
export function shownKey(offer: Shown): ParsedKey {
  const known = shownKeys.get(offer);
  if (known !== undefined) return known;
  if (sample instanceof Error) throw sample;
  const made = Object.create(sample, {
    type: { value: offer.algorithm },
    isPrivateKey: { value: () => true },
    getPublicSSH: { value: () => offer.blob },
  }) as ParsedKey;
  shownKeys.set(offer, made);
  return made;
}

interface Shown {
  readonly algorithm: string;
  readonly blob: Buffer;
}

/** ssh2 keeps the key with which it logged in as long as the connection lasts; a fleet shows all its hosts the same few. */
const shownKeys = new WeakMap<Shown, ParsedKey>();

/**
 * Has the signatures of logins made elsewhere, by whoever has the key, in their own time. ssh2 signs only with keys in memory,
 * and names the algorithm of a certificate where the one of its key belongs (PROTOCOL.certkeys of OpenSSH), which no host
 * takes. `sign` gets what is to be signed, and sends the signature as SSH writes it. To be called right after `connect`.
 */
export function signBy(client: Client, sign: (data: Buffer, send: (signature: Buffer) => void) => void): void {
  const protocol = (client as unknown as Inside)._protocol;
  if (protocol === undefined) return;
  const { authPK } = protocol;
  protocol.authPK = (user, key, _, toSign) => {
    // What is shown is named after its algorithm; ssh2 would guess another one for a key that it takes for RSA with SHA-1.
    const algorithm = key.type;
    if (toSign === undefined) {
      authPK.call(protocol, user, key, algorithm);
      return;
    }
    // What is signed is the session's id, as a string, and the request up to the signature (RFC 4252, section 7).
    authPK.call(protocol, user, key, algorithm, (data) => {
      const request = data.subarray(4 + data.readUInt32BE(0));
      sign(data, (signature) => sendRequest(protocol, Buffer.concat([request, strings(signature)])));
    });
  };
}

/** As the end of ssh2's own `authPK`, with its `sendPacket`. */
function sendRequest(protocol: Protocol, request: Buffer): void {
  const writer = protocol._packetRW.write;
  const start = writer.allocStart;
  const packet = writer.alloc(request.length);
  packet.set(request, start);
  protocol._authsQueue.push('publickey');
  const finished = writer.finalize(packet);
  if (protocol._kexinit === undefined) protocol._cipher.encrypt(finished);
  else (protocol._queue ??= []).push(finished);
}

/** Hears with which algorithms a host takes signatures, where it says so (RFC 8308). To be called right after `connect`. */
export function hearSignatureAlgorithms(client: Client, heard: (names: readonly string[]) => void): void {
  const handlers = (client as unknown as Inside)._protocol?._handlers;
  if (handlers === undefined) return;
  const { EXT_INFO: handle } = handlers;
  handlers.EXT_INFO = (protocol, extensions) => {
    const shared = extensions.map(sharedExtension);
    const names = shared.find(({ name }) => name === 'server-sig-algs')?.algs;
    if (names !== undefined) heard(names);
    handle?.(protocol, shared);
  };
}

/** Lists of algorithms differ by version of the server: there are few, and ssh2 keeps one a connection. */
const algorithmLists = new Interned<readonly string[]>(1000);

function sharedExtension(extension: Extension): Extension {
  const { algs } = extension;
  return algs === undefined ? extension : { ...extension, algs: algorithmLists.get(algs.join(), () => algs) };
}

/**
 * Calls something that makes small buffers to be kept for long. Node would cut them out of a common piece of 8 KiB, together with
 * much else that is soon forgotten, and one of them is enough to hold on to all of it.
 */
export function withBuffersOfTheirOwn(make: () => void): void {
  const { poolSize } = Buffer;
  Buffer.poolSize = 0;
  try {
    make();
  } finally {
    Buffer.poolSize = poolSize;
  }
}

/**
 * Has connections share what is alike in them once they are made, and keep nothing that belongs to a larger piece: a fleet keeps
 * thousands of connections. The lists that are offered are some forty objects; `null` where they are shared already.
 */
export function shareWhatIsAlike(client: Client, algorithms: Algorithms | null): void {
  const protocol = (client as unknown as Inside)._protocol;
  if (protocol === undefined) return;
  if (protocol._offer !== undefined && algorithms !== null)
    protocol._offer = firstOf(offers, algorithms, protocol._offer);
  if (protocol._identRaw !== undefined) protocol._identRaw = sharedGreeting(protocol._identRaw);
  if (protocol._remoteIdentRaw !== undefined) protocol._remoteIdentRaw = sharedGreeting(protocol._remoteIdentRaw);
  const decipher = protocol._decipher;
  if (decipher?._tag !== undefined) decipher._tag = tags.copy(decipher._tag);
}

/** Drops what signBy and hearSignatureAlgorithms set: nobody logs in any more. */
export function forgetLogin(client: Client): void {
  const protocol = (client as unknown as Inside)._protocol;
  if (protocol === undefined) return;
  protocol.authPK = ignore;
  protocol._handlers.EXT_INFO = ignore;
}

function ignore(): void {
  // Nothing comes of it.
}

function firstOf(known: WeakMap<Algorithms, unknown>, key: Algorithms, value: unknown): unknown {
  const first = known.get(key) ?? value;
  known.set(key, first);
  return first;
}

/** Greetings of servers name a version: there are few. */
const greetings = new Interned<Buffer>(1000);

function sharedGreeting(greeting: Buffer): Buffer {
  return greetings.get(greeting.toString('latin1'), () => Buffer.alloc(greeting.length, greeting));
}

/** Cuts small buffers that live as long as their connections out of pieces that hold nothing else. */
class Slab {
  private piece = Buffer.alloc(0);
  private used = 0;

  copy(bytes: Buffer): Buffer {
    if (this.used + bytes.length > this.piece.length) {
      this.piece = Buffer.alloc(8192);
      this.used = 0;
    }
    const cut = this.piece.subarray(this.used, this.used + bytes.length);
    this.used += bytes.length;
    bytes.copy(cut);
    return cut;
  }
}

const tags = new Slab();
