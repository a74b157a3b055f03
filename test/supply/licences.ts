import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A package that a running exporter may load. */
export interface RuntimePackage {
  readonly name: string;
  readonly version: string;
  /** As SPDX writes it. */
  readonly licence: string;
  readonly isOptional: boolean;
  readonly hasInstallScript: boolean;
  readonly isDirect: boolean;
}

interface LockEntry {
  readonly version: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly hasInstallScript?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
}

const root = join(__dirname, '../..');

/** What the lock file has beside what only the tests need, by name. */
export function runtimePackages(): RuntimePackage[] {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, LockEntry>>;
  };
  const direct = new Set(Object.keys(lock.packages['']?.dependencies ?? {}));
  return Object.entries(lock.packages)
    .filter(([path, { dev }]) => path !== '' && dev !== true)
    .map(([path, entry]) => {
      const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
      return {
        name,
        version: entry.version,
        licence: entry.license ?? oldLicence(path),
        isOptional: entry.optional === true,
        hasInstallScript: entry.hasInstallScript === true,
        isDirect: direct.has(name),
      };
    })
    .sort((one, other) => (`${one.name} ${one.version}` < `${other.name} ${other.version}` ? -1 : 1));
}

/** npm's form of before 2015, which the lock file does not take over. */
function oldLicence(path: string): string {
  const { licenses } = JSON.parse(readFileSync(join(root, path, 'package.json'), 'utf8')) as {
    readonly licenses?: readonly { readonly type: string }[];
  };
  return licenses?.map(({ type }) => type).join(' OR ') ?? 'none named';
}

/** The page that lists them. */
export function licencesPage(packages: readonly RuntimePackage[]): string {
  const rows = packages.map(
    ({ name, version, licence, isDirect, isOptional }) =>
      `| ${isDirect ? `**${name}**` : name} | ${version} | ${licence} | ${isOptional ? 'not needed' : ''} |`,
  );
  return `# Licences of what the exporter uses

reboot-exporter is under the [Apache License 2.0](../LICENSE). At run time it uses these packages from npm, as \`package-lock.json\` pins them; those in
bold it names itself, the others come with them. Each package has its licence's text in its folder, in the image as well.

This page is generated from the lock file by \`npm run generate\`; a test fails when a licence comes in that is on no list of those allowed.

| package | version | licence | |
| --- | --- | --- | --- |
${rows.join('\n')}
`;
}
