import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { demoFleet } from '../../src/demo/demo-fleet';
import { startSimulatedServer, type SimulatedServer } from '../../src/demo/simulated-server';

/** Many hosts behind SSH servers on loopback, all of which need a restart, and the files that an exporter needs to probe them. */
export class SimulatedFleet {
  private constructor(
    readonly folder: string,
    readonly names: readonly string[],
    private readonly servers: readonly SimulatedServer[],
    private readonly probes: ReadonlyMap<string, { count: number }>,
  ) {}

  static async start(names: readonly string[]): Promise<SimulatedFleet> {
    const folder = mkdtempSync(join(tmpdir(), 'reboot-exporter-fleet-'));
    for (const name of ['id_ed25519', 'host_key']) {
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', join(folder, name)]);
    }
    const publicKey = (name: string): string => readFileSync(join(folder, `${name}.pub`), 'utf8').split(' ')[1] ?? '';
    const flagged = demoFleet(Date.now() / 1000).find(({ host }) => host.name === 'db-1')?.host;
    if (flagged === undefined) throw new Error('the demo has no host that needs a restart');
    const probes = new Map(names.map((name) => [name, { count: 0 }]));
    const servers: SimulatedServer[] = [];
    for (const [name, counter] of probes) {
      servers.push(
        await startSimulatedServer({
          hostKey: readFileSync(join(folder, 'host_key'), 'utf8'),
          clientKey: Buffer.from(publicKey('id_ed25519'), 'base64'),
          port: 0,
          host: () => {
            counter.count += 1;
            return { ...flagged, name };
          },
        }),
      );
    }
    const known = servers.map(({ port }) => `[127.0.0.1]:${port} ssh-ed25519 ${publicKey('host_key')}\n`);
    writeFileSync(join(folder, 'known_hosts'), known.join(''));
    const targets = servers.map(({ port }, at) => ({
      targets: [`127.0.0.1:${port}`],
      labels: { stack: 'shop', host: names[at] },
    }));
    writeFileSync(join(folder, 'targets.yml'), stringify(targets));
    return new SimulatedFleet(folder, names, servers, probes);
  }

  /** The hosts in Prometheus' file_sd format. */
  get targetsFile(): string {
    return join(this.folder, 'targets.yml');
  }

  /** Writes a configuration with all hosts, and answers its path. */
  writeConfig(probe: object): string {
    const file = join(this.folder, 'reboot-exporter.yml');
    const ssh = { user: 'reboot-exporter', identity_file: 'id_ed25519', known_hosts: 'known_hosts' };
    writeFileSync(file, stringify({ probe, ssh, inventory: [{ file_sd: ['targets.yml'] }] }));
    return file;
  }

  /** How often a host was probed so far. */
  probesOf(name: string): number {
    return this.probes.get(name)?.count ?? 0;
  }

  async stop(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.close()));
    rmSync(this.folder, { recursive: true, force: true });
  }
}
