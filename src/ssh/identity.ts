import { ProbeFailure } from '../failure';
import type { SshSettings } from '../inventory/host';
import type { Agent, Agents } from './agent';
import { type Certificate, isCertificate, parseCertificate } from './certificate';
import { errorCode } from './error-code';
import { keyFingerprint } from './host-key';
import {
  checkPassphrase,
  type KeyFile,
  maxKeyFileBytes,
  type Ownership,
  parseCertificateFile,
  parseKeyFile,
  parsePublicFile,
} from './key-file';
import { type Certified, type Login, loginOf } from './login';
import { type PrivateKey, PrivateKeyFault } from './private-key';
import { rsaWithSha1 } from './signature';
import type { Signer } from './signer';
import { unlock } from './unlock';
import { asFileFault, FileFault, WatchedFile } from './watched-file';

/** How `ssh:` says who logs in. */
export type LoginSettings = Pick<
  SshSettings,
  'identityFiles' | 'passphraseFile' | 'identityAgent' | 'certificateFiles'
> &
  Partial<Pick<SshSettings, 'legacyAlgorithms'>>;

/** What one identity gives: who signs with the key itself, and with certificates of it that an agent has. */
interface Identity {
  readonly signer: Signer | null;
  readonly certified: readonly Certified[];
}

/** What was made of an encrypted key with one version of its file and of the passphrase's. */
interface Unlocked {
  readonly locked: KeyFile;
  readonly passphrase: object;
  readonly key: Promise<PrivateKey>;
}

/** The keys and certificates that hosts name, each file parsed once and again when it has changed. */
export class Identities {
  readonly #agents: Agents;
  readonly #nowMs: () => number;
  readonly #unixSeconds: () => number;
  readonly #files = new Map<string, WatchedFile<unknown>>();
  readonly #unlocked = new Map<string, Unlocked>();

  /** `nowMs` is a monotonic clock, `unixSeconds` the time of day, by which certificates are valid. */
  constructor(agents: Agents, nowMs: () => number, unixSeconds: () => number) {
    this.#agents = agents;
    this.#nowMs = nowMs;
    this.#unixSeconds = unixSeconds;
  }

  /** What there is to log in with. A key that can't be used is a ProbeFailure `auth`: none is left out in silence. */
  async read(settings: LoginSettings): Promise<Login> {
    const signers: Signer[] = [];
    const certified: Certified[] = [];
    const notes: string[] = [];
    for (const path of settings.identityFiles) {
      const identity = await this.#identity(path, settings);
      certified.push(...identity.certified);
      if (identity.signer === null) continue;
      signers.push(identity.signer);
      const beside = await this.#certificateBeside(path, identity.signer);
      if (typeof beside === 'string') notes.push(beside);
      else if (beside !== null) certified.push(beside);
    }
    if (settings.identityFiles.length === 0 && settings.identityAgent !== null) {
      const keys = await this.#agents.find(settings.identityAgent).someKeys();
      signers.push(...keys.signers);
      certified.push(...keys.certified);
    }
    for (const path of settings.certificateFiles) {
      const certificate = await this.#read('certificate', path, parseCertificateFile);
      const signer = [...signers, ...certified.map((one) => one.signer)].find((one) => holds(one, certificate));
      if (signer === undefined)
        throw unusable('certificate', path, `it is for another key, ${fingerprint(certificate)}`);
      // What is named goes before what was found.
      certified.unshift({ certificate, signer });
    }
    return loginOf(signers, certified, notes, this.#unixSeconds(), settings.legacyAlgorithms?.includes(rsaWithSha1));
  }

  async #identity(path: string, settings: LoginSettings): Promise<Identity> {
    const file = await this.#read('private key', path, parseKeyFile);
    if (file.kind === 'private') return { signer: file.key, certified: [] };
    const agent = settings.identityAgent === null ? null : this.#agents.find(settings.identityAgent);
    if (file.kind === 'public') {
      if (agent === null) throw unusable('private key', path, publicWithoutAgent);
      return await heldBy(agent, path, file.blob);
    }
    if (settings.passphraseFile !== null) {
      return { signer: await this.#unlock(path, file, settings.passphraseFile), certified: [] };
    }
    if (agent === null) throw unusable('private key', path, lockedWithoutPassphrase);
    const blob = file.lock.publicBlob ?? (await this.#read('public key', `${path}.pub`, parsePublicFile));
    return await heldBy(agent, path, blob);
  }

  /** Opens an encrypted key once for each version of its file and of the passphrase's, also where it does not open. */
  async #unlock(path: string, locked: KeyFile & { kind: 'locked' }, passphraseFile: string): Promise<PrivateKey> {
    const passphrase = await this.#read('passphrase file', passphraseFile, passphraseVersion);
    const id = `${path}\0${passphraseFile}`;
    let unlocked = this.#unlocked.get(id);
    if (unlocked?.locked !== locked || unlocked.passphrase !== passphrase) {
      unlocked = { locked, passphrase, key: unlock(locked.bytes, locked.lock, passphraseFile) };
      unlocked.key.catch(() => undefined);
      this.#unlocked.set(id, unlocked);
    }
    try {
      return await unlocked.key;
    } catch (error) {
      throw unusable('private key', path, unlockFault(error, passphraseFile));
    }
  }

  /** The certificate beside a key, where ssh looks for it too; null where there is none, or why it is of no use. */
  async #certificateBeside(path: string, signer: Signer): Promise<Certified | string | null> {
    const beside = certificatePathOf(path);
    try {
      const certificate = await this.#file('certificate', beside, parseCertificateFile).read();
      if (holds(signer, certificate)) return { certificate, signer };
      return `the certificate ${beside} was not used: it is for another key, ${fingerprint(certificate)}`;
    } catch (error) {
      const fault = asFileFault(error);
      return isMissing(fault) ? null : `the certificate ${beside} was not used: ${fault.message}`;
    }
  }

  async #read<T>(what: string, path: string, parse: (bytes: Buffer, owner: Ownership) => T): Promise<T> {
    try {
      return await this.#file(what, path, parse).read();
    } catch (error) {
      if (!(error instanceof FileFault)) throw error;
      throw unusable(what, path, error.message);
    }
  }

  #file<T>(what: string, path: string, parse: (bytes: Buffer, owner: Ownership) => T): WatchedFile<T> {
    const id = `${what} ${path}`;
    // What it is tells how it is read, and with that the type of what was read.
    const known = this.#files.get(id) as WatchedFile<T> | undefined;
    if (known !== undefined) return known;
    const file = new WatchedFile(path, maxKeyFileBytes, parse, this.#nowMs);
    this.#files.set(id, file);
    return file;
  }
}

export const publicWithoutAgent =
  'it holds a public key; the private one is needed, or identity_agent: the agent that has it';
export const lockedWithoutPassphrase =
  'it is protected by a passphrase; name the file that holds it as passphrase_file, or the agent that has the key as identity_agent';

/** Where the certificate of a key lies, by the name that ssh-keygen gives it. */
export function certificatePathOf(identityFile: string): string {
  return `${identityFile.replace(/\.pub$/, '')}-cert.pub`;
}

/** Why an encrypted key stayed locked. */
export function unlockFault(error: unknown, passphraseFile: string): string {
  if (error instanceof PrivateKeyFault) return `with the passphrase in ${passphraseFile}: ${error.message}`;
  if (errorCode(error) === '') throw error;
  return `the passphrase file ${passphraseFile} can't be read: ${asFileFault(error).message}`;
}

/** What can't be used, and why, for people. */
export function identityFault(what: string, path: string, why: string): string {
  return `the ${what} ${path} can't be used: ${why}`;
}

function unusable(what: string, path: string, why: string): ProbeFailure {
  return new ProbeFailure('auth', identityFault(what, path, why));
}

/** The passphrase itself is read when a key needs it, and not kept in memory: this stands for one version of its file. */
function passphraseVersion(bytes: Buffer, owner: Ownership): object {
  checkPassphrase(bytes, owner);
  return {};
}

/** What an agent has of a public key or of a certificate. */
async function heldBy(agent: Agent, path: string, blob: Buffer): Promise<Identity> {
  const keys = await agent.someKeys();
  const certificate = isCertificate(blob) ? parseCertificate(blob) : null;
  const key = certificate?.key ?? blob;
  const signer = keys.signers.find((one) => one.blob.equals(key)) ?? null;
  const certified = keys.certified.filter((one) => one.certificate.key.equals(key));
  const some = signer ?? certified[0]?.signer;
  if (some === undefined) {
    throw unusable(
      'private key',
      path,
      `the agent at ${agent.path} does not have it (${keyFingerprint(key)}); see ssh-add -l`,
    );
  }
  return certificate === null ? { signer, certified } : { signer: null, certified: [{ certificate, signer: some }] };
}

function holds(signer: Signer, certificate: Certificate): boolean {
  return signer.blob.equals(certificate.key);
}

function fingerprint({ key }: Certificate): string {
  return keyFingerprint(key);
}

/** Whether a file could not be read because it is not there. */
export function isMissing(fault: FileFault): boolean {
  return errorCode(fault.cause) === 'ENOENT';
}
