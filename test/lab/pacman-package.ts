import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { mustRun } from './program';

/** A kernel as Arch packages it: PKGBUILD(5) of `linux`. */
export interface ArchKernel {
  /** `linux`, `linux-lts`, … */
  readonly name: string;
  /** As pacman has it: `6.11.5.arch1-1`. */
  readonly version: string;
  /** As `uname -r` has it: `6.11.5-arch1-1`. */
  readonly release: string;
}

/** Makes a package of a kernel for pacman: an archive with its modules' folder and `.PKGINFO`. Answers its bytes. */
export async function buildArchKernel({ name, version, release }: ArchKernel): Promise<Buffer> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'pacman-'));
  try {
    const modules = path.join(folder, 'usr/lib/modules', release);
    fs.mkdirSync(modules, { recursive: true });
    fs.writeFileSync(path.join(modules, 'pkgbase'), `${name}\n`);
    fs.writeFileSync(path.join(modules, 'vmlinuz'), 'kernel');
    const lines = [`pkgname = ${name}`, `pkgbase = ${name}`, `pkgver = ${version}`, 'pkgdesc = Linux', 'url = x'];
    lines.push('builddate = 1732000000', 'packager = Nobody', 'size = 7', 'arch = x86_64', 'license = GPL', '');
    fs.writeFileSync(path.join(folder, '.PKGINFO'), lines.join('\n'));
    const file = path.join(folder, 'package.tar.gz');
    await mustRun(['tar', '-czf', file, '-C', folder, '.PKGINFO', 'usr']);
    return fs.readFileSync(file);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

/** `/etc/pacman.conf` of a host that takes packages without signatures. */
export const pacmanSettings = '[options]\nArchitecture = x86_64\nSigLevel = Never\nLocalFileSigLevel = Never\n';
