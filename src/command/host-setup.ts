import { hostSetupAnsible } from '../host-setup/ansible';
import { isPublicKey } from '../host-setup/plan';
import { hostSetupShell } from '../host-setup/shell';

export const setupFormats = ['sh', 'ansible'] as const;
export type SetupFormat = (typeof setupFormats)[number];

/** Exit status for a key that is none, as for other flags. */
const badFlags = 2;

/** Prints what to run once on a host. Answers the exit status. */
export function hostSetup(format: SetupFormat, publicKey: string | null): number {
  const key = publicKey?.trim() ?? null;
  if (key !== null && !isPublicKey(key)) {
    process.stderr.write('--public-key: not one line of a public key such as that of id_ed25519.pub\n');
    return badFlags;
  }
  process.stdout.write(format === 'sh' ? hostSetupShell(key) : hostSetupAnsible(key));
  return 0;
}
