/** A reading command that needs root: its word for the wrapper, and the exact call. */
export interface PrivilegedCommand {
  readonly word: string;
  readonly tool: string;
  readonly args: readonly string[];
}

/** Where the root-owned wrapper is installed. */
export const readFirewallPath = '/usr/local/lib/reboot-exporter/read-firewall';

/** All that the probe ever asks root for: listing, never changing. */
export const privilegedCommands: readonly PrivilegedCommand[] = [
  { word: 'nft-json', tool: 'nft', args: ['-j', 'list', 'ruleset'] },
  { word: 'nft-text', tool: 'nft', args: ['list', 'ruleset'] },
  { word: 'nft-outline', tool: 'nft', args: ['-s', '-t', 'list', 'ruleset'] },
  { word: 'iptables-save', tool: 'iptables-save', args: [] },
  { word: 'ip6tables-save', tool: 'ip6tables-save', args: [] },
  { word: 'iptables-legacy-save', tool: 'iptables-legacy-save', args: [] },
  { word: 'ip6tables-legacy-save', tool: 'ip6tables-legacy-save', args: [] },
  { word: 'ipset-save', tool: 'ipset', args: ['save'] },
  { word: 'ip-tables-names', tool: 'cat', args: ['/proc/net/ip_tables_names'] },
  { word: 'ip6-tables-names', tool: 'cat', args: ['/proc/net/ip6_tables_names'] },
];

/** Where the tools are on the usual distributions; sudoers compares the path as it was called. */
function pathOf(tool: string): string {
  return tool === 'cat' ? '/usr/bin/cat' : `/usr/sbin/${tool}`;
}

/**
 * The wrapper's text: it runs the command that a fixed word stands for, and nothing else. Owned by root and writable by
 * nobody else, it lets one line of sudoers do.
 */
export function readFirewallWrapper(): string {
  const cases = privilegedCommands.map(({ word, tool, args }) => `  ${word}) run ${[tool, ...args].join(' ')} ;;`);
  return `#!/bin/sh
# Lists the firewall's rules for reboot-exporter. It changes nothing and takes no argument but one of the words below.
PATH=/usr/sbin:/sbin:/usr/bin:/bin
LC_ALL=C
export PATH LC_ALL
unset IFS CDPATH ENV

run() {
  command -v "$1" >/dev/null || exit 127
  exec "$@"
}

[ $# -eq 1 ] || exit 2
case $1 in
${cases.join('\n')}
  *) exit 2 ;;
esac
`;
}

/** Lines of a sudoers drop-in that let the user run the wrapper, with each of its words and nothing else. */
export function sudoersLines(user: string): readonly string[] {
  const commands = privilegedCommands.map(({ word }) => `${readFirewallPath} ${word}`);
  return [
    `Cmnd_Alias REBOOT_EXPORTER_FIREWALL = \\`,
    ...commands.map((command, i) => `    ${command}${i < commands.length - 1 ? ', \\' : ''}`),
    `Defaults!REBOOT_EXPORTER_FIREWALL !requiretty`,
    `${user} ALL=(root) NOPASSWD: REBOOT_EXPORTER_FIREWALL`,
  ];
}

/** The same without the wrapper: the commands themselves, by the paths that they have on Debian, Ubuntu, Fedora and SUSE. */
export function directSudoersLines(user: string): readonly string[] {
  const commands = privilegedCommands.map(({ tool, args }) =>
    [pathOf(tool), ...(args.length > 0 ? args : ['""'])].join(' '),
  );
  return [
    `Cmnd_Alias REBOOT_EXPORTER_FIREWALL = \\`,
    ...commands.map((command, i) => `    ${command}${i < commands.length - 1 ? ', \\' : ''}`),
    `Defaults!REBOOT_EXPORTER_FIREWALL !requiretty`,
    `${user} ALL=(root) NOPASSWD: REBOOT_EXPORTER_FIREWALL`,
  ];
}
