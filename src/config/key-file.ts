import { statSync } from 'node:fs';
import { ProbeFailure } from '../failure';
import { Agents } from '../ssh/agent';
import { KnownHosts } from '../ssh/known-hosts';
import {
  checkCertificateFile,
  checkIdentityFile,
  checkPassphraseFile,
  checkUnusedIdentityFile,
  type LoginFileCheck,
  type LoginSurroundings,
  type LoginUse,
} from '../ssh/login-check';
import { proxyPasswordFault } from '../ssh/proxy-password';
import { faultAt, fileStart, type Fault } from './fault';
import { readTextFile } from './text-file';

/** What is wrong with a file that the configuration names: `fault` makes it of no use, warnings only deserve a look. */
export interface FileCheck {
  readonly fault: string | null;
  readonly warnings: readonly string[];
  /** Warnings that have a place within the file itself. */
  readonly inside: readonly Fault[];
}

const maxKnownHostsBytes = 64 * 1024 * 1024;
const maxTokenBytes = 64 * 1024;

/** Whether a path holds a key that can be used as each of these hosts does. Nothing of the key gets into a message. */
export async function checkIdentity(path: string, uses: readonly LoginUse[]): Promise<FileCheck> {
  if (uses.length === 0) return outside(await checkUnusedIdentityFile(path));
  const around = surroundings();
  const checks = await Promise.all(uses.map((use) => checkIdentityFile(path, use, around)));
  return outside({
    fault: checks.map(({ fault }) => fault).find((fault) => fault !== null) ?? null,
    warnings: [...new Set(checks.flatMap(({ warnings }) => warnings))],
  });
}

/** Whether there is an agent, and a key in it; for hosts that name no key of their own. Its absence may pass. */
export async function checkAgent(identityAgent: string): Promise<FileCheck> {
  try {
    await surroundings().agents.find(identityAgent).someKeys();
    return { fault: null, warnings: [], inside: [] };
  } catch (error) {
    if (!(error instanceof ProbeFailure)) throw error;
    return { fault: null, warnings: [error.message], inside: [] };
  }
}

/** Whether a path holds a user's certificate, of a key of each of these hosts. */
export async function checkCertificate(path: string, uses: readonly LoginUse[]): Promise<FileCheck> {
  return outside(await checkCertificateFile(path, uses, surroundings()));
}

/** Whether a path holds a passphrase. */
export async function checkPassphrase(path: string): Promise<FileCheck> {
  return outside(await checkPassphraseFile(path));
}

function outside({ fault, warnings }: LoginFileCheck): FileCheck {
  return { fault, warnings, inside: [] };
}

function surroundings(): LoginSurroundings {
  return { agents: new Agents(() => performance.now(), process.env), unixSeconds: () => Date.now() / 1000 };
}

/** Whether a path holds a readable known_hosts file. Broken lines are warnings, as ssh only skips them. */
export function checkKnownHosts(path: string): FileCheck {
  const text = readTextFile(path, maxKnownHostsBytes);
  if (!text.ok) return unusable(path, text.message);
  const { lineCount, faults } = KnownHosts.parse(text.value);
  const inside = faults.map(({ lineNumber, message }) => faultAt(path, { ...fileStart, line: lineNumber }, message));
  return { fault: null, warnings: lineCount > 0 ? [] : [`${path} holds no key: every host will be refused`], inside };
}

/** Whether a path holds a secret such as a token or a password: one line that is not empty. */
export function checkSecretFile(path: string): FileCheck {
  const text = readTextFile(path, maxTokenBytes);
  if (!text.ok) return unusable(path, text.message);
  const secret = text.value.trim();
  if (secret === '') return unusable(path, 'is empty: it must hold the secret');
  if (secret.includes('\n')) return unusable(path, 'must hold the secret on one line');
  return { fault: null, warnings: opennessWarnings(path), inside: [] };
}

/** Whether a path holds text; what it says is checked where it is read. */
export function checkReadable(path: string): FileCheck {
  const text = readTextFile(path);
  return text.ok ? { fault: null, warnings: [], inside: [] } : unusable(path, text.message);
}

/** Whether a path holds the `user:password` for a SOCKS proxy. */
export function checkProxyPassword(path: string): FileCheck {
  const check = checkSecretFile(path);
  if (check.fault !== null) return check;
  const text = readTextFile(path, maxTokenBytes);
  const fault = text.ok ? proxyPasswordFault(text.value) : text.message;
  return fault === null ? check : unusable(path, fault);
}

/** OpenSSH's rule for keys (sshkey_perm_ok in authfile.c): what one owns oneself should be closed to others. */
function opennessWarnings(path: string): string[] {
  const { mode, uid } = statSync(path);
  if (process.getuid === undefined || uid !== process.getuid() || (mode & 0o077) === 0) return [];
  return [`${path} holds a secret that others can read: run \`chmod 600\` on it`];
}

function unusable(path: string, message: string): FileCheck {
  return { fault: `${path} ${message}`, warnings: [], inside: [] };
}
