import type { LabPackage } from './host-spec';

/** Where a host's files are written. */
export interface PackageFiles {
  write(path: string, content: string, options?: { readonly mtime?: Date }): void;
  remove(path: string): void;
}

/** A host's dpkg database: `status`, and `info/*.list`, whose modification times tell when a package was unpacked. */
export class DpkgDatabase {
  private readonly packages = new Map<string, LabPackage>();

  constructor(
    private readonly files: PackageFiles,
    /** When packages without a date of their own were installed. */
    private readonly installedAt: Date,
  ) {}

  /** Installs or upgrades packages. */
  install(packages: readonly LabPackage[]): void {
    for (const added of packages) {
      this.packages.set(added.name, added);
      const content = `/.\n/usr\n/usr/share\n/usr/share/doc\n/usr/share/doc/${added.name}\n`;
      this.files.write(listPath(added), content, { mtime: added.installedAt ?? this.installedAt });
    }
    this.writeStatus();
  }

  /** Removes a package as `dpkg --purge` does: nothing is left of it. */
  purge(name: string): void {
    const found = this.packages.get(name);
    if (found === undefined) {
      return;
    }
    this.packages.delete(name);
    this.files.remove(listPath(found));
    this.writeStatus();
  }

  private writeStatus(): void {
    this.files.write('/var/lib/dpkg/status', [...this.packages.values()].map(stanza).join('\n'));
  }
}

function listPath(item: LabPackage): string {
  const suffix = item.multiArchSame === true ? `:${item.architecture ?? 'amd64'}` : '';
  return `/var/lib/dpkg/info/${item.name}${suffix}.list`;
}

function stanza(item: LabPackage): string {
  return [
    `Package: ${item.name}`,
    `Status: ${item.status ?? 'install ok installed'}`,
    'Priority: optional',
    'Section: misc',
    'Maintainer: Nobody <nobody@example.org>',
    `Architecture: ${item.architecture ?? 'amd64'}`,
    ...(item.multiArchSame === true ? ['Multi-Arch: same'] : []),
    `Version: ${item.version}`,
    `Description: ${item.name}`,
    '',
  ].join('\n');
}
