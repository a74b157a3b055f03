import { ProbeFailure } from '../failure';
import { type Agents } from './agent';
import { timeFault } from './certificate';
import { Identities, identityFault, type LoginSettings } from './identity';
import { checkPassphrase, maxKeyFileBytes, type Ownership, parseCertificateFile, parseKeyFile } from './key-file';
import { asFileFault, WatchedFile } from './watched-file';

/** What is wrong with a file that `ssh:` names: a fault makes it of no use, warnings may pass by themselves. */
export interface LoginFileCheck {
  readonly fault: string | null;
  readonly warnings: readonly string[];
}

/** How a host uses a file: its keys, and what they need. */
export type LoginUse = Pick<LoginSettings, 'identityFiles' | 'passphraseFile' | 'identityAgent'>;

/** The clocks and agents that logging in depends on. */
export interface LoginSurroundings {
  readonly agents: Agents;
  /** Seconds since 1970. */
  readonly unixSeconds: () => number;
}

/**
 * Whether an identity can be used, in the words in which a probe would fail. That an agent can't be asked, or has not the
 * key, is a warning: it is no file, and may be there later.
 */
export async function checkIdentityFile(
  path: string,
  settings: LoginUse,
  { agents, unixSeconds }: LoginSurroundings,
): Promise<LoginFileCheck> {
  const identities = new Identities(agents, () => 0, unixSeconds);
  const alone = { ...settings, identityFiles: [path], certificateFiles: [] };
  const fault = await faultOf(identities, alone);
  if (fault.message === null) return { fault: null, warnings: fault.notes };
  if (settings.identityAgent === null) return { fault: fault.message, warnings: [] };
  const withoutAgent = await faultOf(identities, { ...alone, identityAgent: null });
  const agentsOwn = withoutAgent.message !== fault.message;
  return agentsOwn ? { fault: null, warnings: [fault.message] } : { fault: fault.message, warnings: [] };
}

/** Whether a file can be an identity, where nothing is known of a passphrase or an agent. */
export function checkUnusedIdentityFile(path: string): Promise<LoginFileCheck> {
  return check('private key', path, parseKeyFile);
}

/** Whether a file holds a certificate for a user, of one of the keys of each host that uses it, and one whose time it is. */
export async function checkCertificateFile(
  path: string,
  uses: readonly LoginUse[],
  { agents, unixSeconds }: LoginSurroundings,
): Promise<LoginFileCheck> {
  const untimely: string[] = [];
  const { fault } = await check('certificate', path, (bytes) => {
    const late = timeFault(parseCertificateFile(bytes), unixSeconds());
    if (late !== null) untimely.push(`the certificate ${path} is not used: ${late}`);
  });
  if (fault !== null) return { fault, warnings: [] };
  const identities = new Identities(agents, () => 0, unixSeconds);
  for (const use of uses) {
    const { message } = await faultOf(identities, { ...use, certificateFiles: [path] });
    // What is wrong with a key is told where the key is named.
    if (message?.startsWith(identityFault('certificate', path, '')) === true) return { fault: message, warnings: [] };
  }
  return { fault: null, warnings: untimely };
}

/** Whether a file holds a passphrase, and is closed to others. */
export function checkPassphraseFile(path: string): Promise<LoginFileCheck> {
  return check('passphrase file', path, checkPassphrase);
}

async function faultOf(
  identities: Identities,
  settings: LoginSettings,
): Promise<{ readonly message: string | null; readonly notes: readonly string[] }> {
  try {
    return { message: null, notes: (await identities.read(settings)).notes };
  } catch (error) {
    if (error instanceof ProbeFailure) return { message: error.message, notes: [] };
    throw error;
  }
}

async function check(
  what: string,
  path: string,
  parse: (bytes: Buffer, owner: Ownership) => unknown,
): Promise<LoginFileCheck> {
  try {
    await new WatchedFile(path, maxKeyFileBytes, parse, () => 0).read();
    return { fault: null, warnings: [] };
  } catch (error) {
    return { fault: identityFault(what, path, asFileFault(error).message), warnings: [] };
  }
}
