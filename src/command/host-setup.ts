import { hostSetupAnsible } from '../host-setup/ansible';
import { hostSetupShell } from '../host-setup/shell';

export const setupFormats = ['sh', 'ansible'] as const;
export type SetupFormat = (typeof setupFormats)[number];

/** Prints what to run once on a host. Answers the exit status. */
export function hostSetup(format: SetupFormat, publicKey: string | null): number {
  process.stdout.write(format === 'sh' ? hostSetupShell(publicKey) : hostSetupAnsible(publicKey));
  return 0;
}
