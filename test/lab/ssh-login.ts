import type { LabHost } from './host';
import type { Lab } from './lab';
import { runProgram, type ProgramResult } from './program';
import { labUser } from './skeleton';

/** Who logs in, and how. */
export interface LoginOptions {
  /** Default: the unprivileged user. */
  readonly user?: string;
  /** Default: the host's own address in the lab. */
  readonly address?: string;
  readonly identityFile?: string;
  /** More of ssh(1)'s arguments. */
  readonly arguments?: readonly string[];
  /** Standard input of the command. */
  readonly input?: string;
}

/** Runs a command on a host by the system's ssh, which accepts no host key that the lab's known_hosts does not have. */
export function sshLogin(lab: Lab, host: LabHost, command: string, options: LoginOptions = {}): Promise<ProgramResult> {
  const settings = [
    'BatchMode=yes',
    'ConnectTimeout=3',
    'GlobalKnownHostsFile=/dev/null',
    'IdentitiesOnly=yes',
    'StrictHostKeyChecking=yes',
    `UserKnownHostsFile=${lab.knownHostsFile}`,
  ];
  const argv = ['ssh', '-F', 'none', '-p', `${host.sshd.port}`, '-i', options.identityFile ?? lab.identityFile];
  argv.push(...settings.flatMap((setting) => ['-o', setting]), ...(options.arguments ?? []));
  argv.push(`${options.user ?? labUser}@${options.address ?? host.address}`, command);
  return runProgram(argv, { input: options.input ?? '' });
}
