import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { parseShard, type Shard } from '../inventory/shard';
import { logFormats, logLevels, type LogFormat, type LogLevel } from '../logging/logger';
import { probeProgram } from '../probe/program';
import { version } from '../version';
import { parseListenAddress, type ListenAddress } from '../web/server';
import { check } from './check';
import { checkConfig } from './check-config';
import { demo } from './demo';
import { hostSetup, setupFormats, type SetupFormat } from './host-setup';
import { serve } from './serve';

/** Exit status for flags that can't be used. */
const badFlags = 2;

const configFile = (): Option =>
  new Option('--config.file <path>', 'configuration file')
    .default('reboot-exporter.yml')
    .env('REBOOT_EXPORTER_CONFIG_FILE');
const logLevel = (): Option =>
  new Option('--log.level <level>', 'least level that is logged').choices(logLevels).default('info');
const logFormat = (): Option =>
  new Option('--log.format <format>', 'form of the log').choices(logFormats).default('logfmt');

interface CommonFlags {
  readonly 'config.file': string;
  readonly 'log.level': LogLevel;
  readonly 'log.format': LogFormat;
}

interface ServeFlags extends CommonFlags {
  readonly 'web.listenAddress'?: ListenAddress[];
  readonly 'web.config.file'?: string;
  readonly 'web.enableLifecycle'?: boolean;
  readonly 'state.file': string;
  readonly shard?: Shard;
}

/** Runs what the command line says; answers the exit status. */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
  let status = 0;
  const set = (next: number): void => {
    status = next;
  };
  try {
    await commandLine(set).parseAsync([...argv]);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? 0 : badFlags;
  }
  return status;
}

function commandLine(set: (status: number) => void): Command {
  const program = new Command('reboot-exporter')
    .description('Tells Prometheus which servers need a restart, since when, why, and how urgently.')
    .version(version, '--version')
    .helpOption('--help', 'show help')
    .exitOverride();

  program
    .command('serve', { isDefault: true })
    .description('probe the fleet and serve HTTP until SIGTERM or SIGINT')
    .helpOption('--help', 'show help')
    .addOption(configFile())
    .addOption(
      new Option('--web.listen-address <address>', 'address to listen on, repeatable (default ":10066")').argParser(
        listenAddress,
      ),
    )
    .addOption(webConfigFile())
    .option('--web.enable-lifecycle', 'allow reloading by POST /-/reload')
    .option('--state.file <path>', 'file in which first sightings are kept', 'reboot-exporter.state.json')
    .addOption(new Option('--shard <K/N>', 'probe only part K of N of the inventory').argParser(shard))
    .addOption(logLevel())
    .addOption(logFormat())
    .action(async (flags: ServeFlags) => {
      set(
        await serve({
          configFile: flags['config.file'],
          stateFile: flags['state.file'],
          listenAddresses: flags['web.listenAddress'] ?? [{ host: '', port: 10066 }],
          webConfigFile: flags['web.config.file'] ?? null,
          enableLifecycle: flags['web.enableLifecycle'] === true,
          shard: flags.shard ?? null,
          logLevel: flags['log.level'],
          logFormat: flags['log.format'],
        }),
      );
    });

  program
    .command('check')
    .description('probe hosts now, once, and explain their state; exit status as a Nagios plugin')
    .helpOption('--help', 'show help')
    .argument('[host...]', 'hosts of the inventory; without any, all of them')
    .addOption(configFile())
    .addOption(new Option('--format <format>', 'form of the output').choices(['table', 'json']).default('table'))
    .action(async (hosts: string[], flags: CommonFlags & { format: 'table' | 'json' }) => {
      set(await check({ configFile: flags['config.file'], hosts, format: flags.format }));
    });

  program
    .command('check-config')
    .description('validate the configuration and every file that it names')
    .helpOption('--help', 'show help')
    .addOption(configFile())
    .addOption(webConfigFile())
    .action(async (flags: CommonFlags & { 'web.config.file'?: string }) =>
      set(await checkConfig(flags['config.file'], flags['web.config.file'] ?? null)),
    );

  program
    .command('probe-script')
    .description('print the program that runs on hosts')
    .helpOption('--help', 'show help')
    .action(() => void process.stdout.write(probeProgram()));

  program
    .command('host-setup')
    .description('print what to run once on a host: the user, its restricted key, the sudoers lines')
    .helpOption('--help', 'show help')
    .addOption(new Option('--format <format>', 'form of the output').choices(setupFormats).default('sh'))
    .option('--public-key <key>', 'public key that the exporter logs in with, as in id_ed25519.pub')
    .action((flags: { format: SetupFormat; publicKey?: string }) =>
      set(hostSetup(flags.format, flags.publicKey ?? null)),
    );

  program
    .command('demo')
    .description('run a simulated fleet behind SSH servers on loopback, and the exporter probing it')
    .helpOption('--help', 'show help')
    .addOption(new Option('--web.listen-address <address>', 'address to listen on').argParser(listenAddress))
    .action(async (flags: ServeFlags) =>
      set(await demo(flags['web.listenAddress'] ?? [{ host: '127.0.0.1', port: 10066 }])),
    );

  // Bad flags of a command must end like bad flags of the program.
  for (const command of program.commands) command.exitOverride();
  return program;
}

function webConfigFile(): Option {
  return new Option('--web.config.file <path>', "TLS and basic auth, in the exporter-toolkit's format");
}

function listenAddress(text: string, before: ListenAddress[] = []): ListenAddress[] {
  const address = parseListenAddress(text);
  if (address === null)
    throw new InvalidArgumentError('Not an address such as :10066, 127.0.0.1:10066 or [::1]:10066.');
  return [...before, address];
}

function shard(text: string): Shard {
  const parsed = parseShard(text);
  if (parsed === null) throw new InvalidArgumentError('Not a shard such as 1/3.');
  return parsed;
}
