import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Lab } from '../lab/lab';
import type { LabHost } from '../lab/host';
import { mustRun } from '../lab/program';
import { builtProgram } from './built-program';
import { runBuilt } from './built-program';
import { type HostContract, parseHostDocuments } from './host-document-contract';

/** Who asks the host: root, the user of `host-setup` with its sudoers lines, and that user without sudo. */
export const logins = ['root', 'sudo', 'plain'] as const;
export type Login = (typeof logins)[number];

/** Sets a host up by what `host-setup` prints, in place of the user that the lab has made. */
export async function setUpHost(lab: Lab, host: LabHost): Promise<void> {
  const argv = [process.execPath, builtProgram, 'host-setup', '--public-key', lab.clientKey.publicKey];
  await host.shell(`userdel reboot-exporter\n${await mustRun(argv)}`);
}

/** Inventory entries for one host, one for each login: `NAME-root`, `NAME-sudo`, `NAME-plain`. */
function entries(host: LabHost): readonly object[] {
  const ssh = { root: { user: 'root' }, sudo: {}, plain: { sudo: 'never' } };
  return logins.map((login) => ({ name: `${host.name}-${login}`, address: host.address, ssh: ssh[login] }));
}

/** A configuration with every host three times. */
export function configOf(lab: Lab, hosts: readonly LabHost[], probe: object): string {
  return stringify({
    probe: { timeout: '20s', ...probe },
    ssh: { user: 'reboot-exporter', identity_file: lab.identityFile, known_hosts: lab.knownHostsFile },
    hosts: hosts.flatMap(entries),
  });
}

/** What `check --format=json` says of every host, by the inventory's names. */
export async function checkAll(lab: Lab, hosts: readonly LabHost[]): Promise<ReadonlyMap<string, HostContract>> {
  writeFileSync(join(lab.folder, 'exposure.yml'), configOf(lab, hosts, { interval: '5m' }));
  const flags = ['check', '--config.file=exposure.yml', '--format=json'];
  const { stdout, stderr } = await runBuilt(lab.folder, flags, { timeoutMilliseconds: 120_000 });
  if (stdout === '') throw new Error(stderr);
  return parseHostDocuments(stdout);
}
