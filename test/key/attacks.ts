import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { LabHost } from '../lab/host';
import type { Lab } from '../lab/lab';
import { runProgram, type ProgramResult } from '../lab/program';
import { sshLogin } from '../lab/ssh-login';

/** Something that a stolen key could be used for. */
export interface Attack {
  readonly name: string;
  /** Tries it, and tells what came of it: statuses, output, errors. */
  readonly run: (scene: Scene) => Promise<string>;
  /** What shows that it went well, where the key is not restricted. */
  readonly works: RegExp;
  /** Why it does not with the key of `host-setup`. */
  readonly refused: RegExp;
}

/** Where an attack happens. */
export interface Scene {
  readonly lab: Lab;
  readonly host: LabHost;
  /** A port of the attacker's machine that is free. */
  readonly freePort: number;
  /** How long to wait for a program that may wait for ever. */
  readonly patienceMs: number;
}

/** The forced command has run in place of what was asked for: a report came, and nothing else. */
const onlyReport = /^exit 0\n\n=[0-9a-f]+ hello 1\n/;
/** An unrestricted key ran what was asked for. */
const ranIt = /uid=\d+\(reboot-exporter\)/;
/** Whoever speaks another protocol waits in vain, or sees that this is none. */
const notTheirProtocol = /^exit (?:SIGKILL|[1-9]\d*)\n/;
/** What the exporter sends; without it the probe reads the firewall as well, which takes longest. */
const noExposure = "request='nonce=0'\n";
/** What the dynamic linker says of a library that is not there: it was told to load it. */
export const preloading = /from LD_PRELOAD cannot be preloaded/;
/** Left where everybody may write: a hostile program says with it that it ran. */
const witness = '/tmp/witness';

function told({ code, signal, stdout, stderr }: ProgramResult): string {
  return `exit ${code ?? signal}\n${stdout}\n${stderr}`;
}

function command(text: string, more: { input?: string; arguments?: readonly string[] } = {}): Attack['run'] {
  return async ({ lab, host }) => told(await sshLogin(lab, host, text, { input: noExposure, ...more }));
}

/** Runs a command, and looks whether the witness is there; it is taken away again. */
function withWitness(text: string, more: { input?: string; arguments?: readonly string[] } = {}): Attack['run'] {
  return async (scene) => {
    const said = await command(text, more)(scene);
    const seen = await scene.host.exec(['sh', '-c', `cat ${witness} 2>/dev/null; rm -f ${witness}`]);
    return `${said}\n${seen.stdout}`;
  };
}

/** ssh with arguments of its own; HOST stands for whom it logs in to. */
function loginTo({ lab, host }: Scene, argv: readonly string[]): string[] {
  const settings = [
    'BatchMode=yes',
    'ConnectTimeout=3',
    'KexAlgorithms=curve25519-sha256',
    `UserKnownHostsFile=${lab.knownHostsFile}`,
  ];
  const words = argv.map((word) => (word === 'HOST' ? `reboot-exporter@${host.address}` : word));
  return ['ssh', '-F', 'none', '-i', lab.identityFile, ...settings.flatMap((setting) => ['-o', setting]), ...words];
}

async function ssh(scene: Scene, argv: readonly string[], input = ''): Promise<string> {
  // ssh looks whether there is a display before it asks for X11.
  const env = { ...process.env, DISPLAY: '127.0.0.1:9' };
  return told(await runProgram(loginTo(scene, argv), { input, timeoutMilliseconds: 5000, env }));
}

const commands: readonly Attack[] = [
  { name: 'another command', run: command('id'), works: ranIt, refused: onlyReport },
  {
    name: 'a shell, and commands on its input',
    run: command('/bin/sh', { input: 'id\n' }),
    works: ranIt,
    refused: onlyReport,
  },
  {
    name: 'a shell without naming one',
    run: (scene) => ssh(scene, ['-T', 'HOST'], 'id\n'),
    works: ranIt,
    refused: onlyReport,
  },
  {
    name: 'a command behind the probe',
    run: command('/usr/local/lib/reboot-exporter/probe; id'),
    works: ranIt,
    refused: onlyReport,
  },
  {
    name: 'SSH_ORIGINAL_COMMAND with a substitution',
    run: withWitness(`: $(id >${witness}) \`id >${witness}\``),
    works: ranIt,
    refused: onlyReport,
  },
  {
    name: 'a program that is sent as the exporter sends its own',
    run: command('/bin/sh', { input: "request='nonce=0'\nid\n" }),
    works: ranIt,
    refused: onlyReport,
  },
];

/** The probe reads one line, of which it takes known words and hexadecimal digits. */
const inputs: readonly Attack[] = [
  ["a quote that ends the request's", `request='exposure'; id >${witness} #'`],
  ['a substitution in the request', `request='nonce=$(id >${witness}) $(id >${witness})'`],
  ['backquotes in the request', `request='\`id >${witness}\`'`],
  ['a substitution instead of a request', `$(id >${witness})`],
  ['a pattern of files, and options', `request='/* -exec --help sudo -i nonce=/etc/* nonce=*'`],
  ['a request of a megabyte', `request='${'x'.repeat(1_000_000)}'`],
].map(([name = '', line = '']) => ({
  name: `standard input: ${name}`,
  // The same line, and then a command, show what a shell would have made of it.
  run: withWitness('/bin/sh', { input: `${line}\nid >${witness}\n` }),
  works: ranIt,
  refused: onlyReport,
}));

/** ssh_config(5), SetEnv: one line with all of them, for the first line wins. */
function setEnv(variables: Readonly<Record<string, string>>): readonly string[] {
  return [
    '-o',
    `SetEnv=${Object.entries(variables)
      .map(([name, value]) => `${name}="${value}"`)
      .join(' ')}`,
  ];
}

/** The unrestricted host takes every variable; one as it is shipped takes LANG and LC_* alone. */
const environment: readonly Attack[] = [
  {
    name: 'LD_PRELOAD',
    run: withWitness('true', { arguments: setEnv({ LD_PRELOAD: '/tmp/hostile/preload.so' }) }),
    works: preloading,
    refused: onlyReport,
  },
  {
    name: 'BASH_ENV',
    run: withWitness('bash -c "bash -c :; :"', { arguments: setEnv({ BASH_ENV: '/tmp/hostile/env' }) }),
    works: /hostile env/,
    refused: onlyReport,
  },
  {
    name: 'ENV',
    run: withWitness('sh -i </dev/null', { arguments: setEnv({ ENV: '/tmp/hostile/env' }) }),
    works: /hostile env/,
    refused: onlyReport,
  },
  {
    name: "the probe's own variables",
    run: command('echo "nonce is $nonce, request is $request, R is $R"', {
      arguments: setEnv({ nonce: 'abad1dea', request: 'exposure sudo nonce=abad1dea', R: '/tmp/hostile' }),
    }),
    works: /nonce is abad1dea, request is exposure sudo nonce=abad1dea, R is \/tmp\/hostile/,
    refused: /^exit 0\n\n=0 hello 1\n/,
  },
  {
    name: 'a function in LC_EVIL, which sshd lets in',
    run: withWitness('printenv LC_EVIL', { arguments: setEnv({ LC_EVIL: `() { :; }; id >${witness}` }) }),
    works: /\(\) \{ :; \}; id/,
    refused: onlyReport,
  },
  {
    name: '~/.ssh/environment',
    run: command('echo "$HOSTILE"'),
    works: /from the environment file/,
    refused: onlyReport,
  },
  { name: '~/.ssh/rc', run: withWitness('true'), works: /hostile rc/, refused: onlyReport },
];

const forwarding: readonly Attack[] = [
  {
    name: 'a connection through the host (-W)',
    run: (scene) => ssh(scene, ['-W', '127.0.0.1:22', 'HOST'], 'SSH-2.0-attacker\r\n'),
    works: /SSH-2\.0-OpenSSH/,
    refused: /administratively prohibited/,
  },
  {
    name: 'local forwarding (-L)',
    run: (scene) =>
      throughForwarding(
        scene,
        ['-L', `127.0.0.1:${scene.freePort}:127.0.0.1:22`],
        [`telnet://127.0.0.1:${scene.freePort}`],
      ),
    works: /SSH-2\.0-OpenSSH/,
    refused: /administratively prohibited/,
  },
  {
    name: 'dynamic forwarding (-D), as a SOCKS proxy',
    run: (scene) =>
      throughForwarding(
        scene,
        ['-D', `127.0.0.1:${scene.freePort}`],
        ['--socks5', `127.0.0.1:${scene.freePort}`, 'telnet://127.0.0.1:22'],
      ),
    works: /SSH-2\.0-OpenSSH/,
    refused: /administratively prohibited/,
  },
  {
    name: "a connection to the host's unix socket",
    run: (scene) =>
      throughForwarding(
        scene,
        ['-L', `127.0.0.1:${scene.freePort}:/run/hostile.sock`],
        [`telnet://127.0.0.1:${scene.freePort}`],
      ),
    works: /who is there/,
    refused: /[Rr]efused streamlocal port forward/,
  },
  {
    name: 'remote forwarding (-R)',
    run: (scene) =>
      ssh(scene, ['-o', 'ExitOnForwardFailure=yes', '-R', '18022:127.0.0.1:9', 'HOST', 'ss -Hltn sport = 18022']),
    works: /127\.0\.0\.1:18022/,
    refused: /remote port forwarding failed/,
  },
  {
    name: 'remote forwarding of a unix socket',
    run: (scene) =>
      ssh(scene, [
        '-o',
        'ExitOnForwardFailure=yes',
        '-R',
        '/tmp/hostile.sock:127.0.0.1:9',
        'HOST',
        'ls -l /tmp/hostile.sock; rm /tmp/hostile.sock',
      ]),
    works: /srw.* \/tmp\/hostile\.sock/,
    refused: /remote port forwarding failed/,
  },
  {
    name: 'a tunnel (-w)',
    run: tunnel,
    works: /^tun7 /m,
    refused: /Tunnel forwarding failed/,
  },
];

/** Opens a forwarding, connects through it with curl, and ends it. */
async function throughForwarding(scene: Scene, forward: readonly string[], target: readonly string[]): Promise<string> {
  const program = `
    target=$1; shift
    log=$(mktemp)
    "$@" 2>"$log" & ssh=$!
    sleep 0.6
    curl --silent --max-time 0.8 $target </dev/null
    kill -9 $ssh
    grep 'open failed' "$log"; rm "$log"`;
  // -v, for at a SOCKS proxy ssh says nothing else of what was refused.
  const words = loginTo(scene, ['-v', '-N', ...forward, 'HOST']);
  const logged = scene.host.sshd.log().length;
  const said = told(await runProgram(['sh', '-c', program, 'through', target.join(' '), ...words]));
  // To a client sshd gives the same words for a unix socket that it refuses as for one that is not there.
  return `${said}\n${scene.host.sshd.log().slice(logged)}`;
}

/** From a host of the lab, so that the tunnel's near end is in its network; only root may open the far end. */
async function tunnel({ lab, host }: Scene): Promise<string> {
  const client = lab.host('open');
  const target = host === client ? 'root@127.0.0.1' : `reboot-exporter@${host.address}`;
  const key = '/root/stolen-key';
  client.write(key, lab.clientKey.privateKey, { mode: 0o600 });
  const settings = ['BatchMode=yes', 'StrictHostKeyChecking=no', 'ExitOnForwardFailure=yes', 'Tunnel=point-to-point'];
  const argv = ['timeout', '1.5', 'ssh', '-F', 'none', '-i', key, ...settings.flatMap((setting) => ['-o', setting])];
  const command = 'ip -br link show tun7; :';
  return told(await client.exec([...argv, '-w', 'any:7', target, command], { timeoutMilliseconds: 5000 }));
}

const sessions: readonly Attack[] = [
  {
    name: 'a terminal',
    run: (scene) => ssh(scene, ['-tt', 'HOST', 'tty']),
    works: /\/dev\/pts\/\d/,
    refused: /PTY allocation request failed/,
  },
  {
    name: "the attacker's agent on the host (-A)",
    run: (scene) => withAgent(scene, ['-A', 'HOST', 'ls -l "$SSH_AUTH_SOCK"']),
    works: /srw.*agent/,
    refused: /hello 1/,
  },
  {
    name: 'X11 (-X)',
    run: (scene) =>
      ssh(scene, ['-o', 'ForwardX11=yes', '-o', 'ForwardX11Trusted=yes', 'HOST', 'echo "display $DISPLAY"']),
    works: /display localhost:10/,
    refused: /X11 forwarding request failed/,
  },
];

/** With an agent of its own, which ssh looks for before it asks. */
async function withAgent(scene: Scene, argv: readonly string[]): Promise<string> {
  return told(await runProgram(['ssh-agent', ...loginTo(scene, argv)], { timeoutMilliseconds: 5000 }));
}

const files: readonly Attack[] = [
  { name: 'writing a file', run: withWitness(`echo wrote >${witness}`), works: /wrote/, refused: onlyReport },
  ...['sftp', 'scp', 'scp -O'].map((program): Attack => ({
    name: `copying a file to the host by ${program}`,
    run: (scene) => copy(scene, program, 'to'),
    works: /copied/,
    // The probe reads their first packet for its line, and ends at its end; what it says is not their protocol.
    refused: notTheirProtocol,
  })),
  ...['scp', 'scp -O'].map((program): Attack => ({
    name: `copying a file from the host by ${program}`,
    run: (scene) => copy(scene, program, 'from'),
    works: /copied/,
    refused: notTheirProtocol,
  })),
];

/** Copies a file, and looks whether it is where it should be. */
async function copy({ lab, host, patienceMs }: Scene, program: string, way: 'to' | 'from'): Promise<string> {
  const login = ['-F', 'none', '-i', lab.identityFile, '-o', 'BatchMode=yes'];
  const words = [...program.split(' '), ...login, '-o', `UserKnownHostsFile=${lab.knownHostsFile}`];
  const there = `reboot-exporter@${host.address}`;
  const here = join(lab.folder, 'copied');
  if (program === 'sftp') words.push('-b', '-', there);
  else words.push(...(way === 'to' ? ['/etc/hostname', `${there}:${witness}`] : [`${there}:/etc/passwd`, here]));
  const input = `put /etc/hostname ${witness}\n`;
  const said = told(await runProgram(words, { input, timeoutMilliseconds: patienceMs }));
  const seen = await host.exec(['sh', '-c', `[ -e ${witness} ] && echo copied; rm -f ${witness}`]);
  const isHere = existsSync(here);
  rmSync(here, { force: true });
  return `${said}\n${isHere ? 'copied' : ''}${seen.stdout}`;
}

/** Everything that a key could be tried for. */
export const keyAttacks: readonly Attack[] = [
  ...commands,
  ...inputs,
  ...environment,
  ...forwarding,
  ...sessions,
  ...files,
];
