import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** Where Debian's golang-*-dev packages have their sources. */
const debianGoPath = '/usr/share/gocode';

export type GoProgram = 'canned-sshd' | 'ssh-load' | 'promhttp';

/** Builds one of the Go programs beside this file into a folder. @throws Error that says which packages it takes. */
export function buildGoProgram(name: GoProgram, folder: string): string {
  const program = join(folder, name);
  const env = { ...process.env, GO111MODULE: 'off', GOPATH: debianGoPath, GOCACHE: join(folder, 'go-cache') };
  try {
    execFileSync('go', ['build', '-o', program, '.'], { cwd: join(__dirname, 'go', name), env, stdio: 'pipe' });
  } catch (error) {
    throw new Error(
      'the Go programs could not be built. Install what they take: ' +
        'apt-get install golang-go golang-golang-x-crypto-dev golang-github-prometheus-client-golang-dev',
      { cause: error },
    );
  }
  return program;
}
