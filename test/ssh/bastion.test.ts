import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatFault } from '../../src/config/fault';
import { loadConfig } from '../../src/config/load';
import type { ProbeFailure } from '../../src/failure';
import type { Host } from '../../src/inventory/host';
import { probeHost } from '../../src/probe/probe';
import { SshTransport } from '../../src/ssh/ssh-transport';
import { describeWithLab } from '../lab/describe-with-lab';
import { Lab } from '../lab/lab';
import { labUser } from '../lab/skeleton';

describeWithLab('hosts that only a bastion can reach', () => {
  let lab: Lab;
  let directory: string;
  let transport: SshTransport;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'reboot-exporter-bastion-'));
    lab = await Lab.start({ hosts: [{ name: 'bastion' }, { name: 'web' }, { name: 'db' }] });
    lab.host('web').setFlag(['linux-image-6.8.0-50-generic']);
    // Only the tests' own machine is cut off: the hosts are on one network.
    for (const name of ['web', 'db']) await lab.host(name).partition('drop');
  }, 60_000);

  afterAll(async () => {
    await lab.stop();
    rmSync(directory, { recursive: true });
  });

  beforeEach(() => {
    transport = new SshTransport();
  });

  afterEach(() => transport.close());

  async function hosts(ssh: Readonly<Record<string, unknown>>, own = {}): Promise<(name: string) => Host> {
    const file = join(directory, 'config.yml');
    writeFileSync(file, lab.configYaml({ ssh, hosts: own }));
    const loaded = await loadConfig(file);
    if (!loaded.ok) throw new Error(loaded.faults.map(formatFault).join('\n'));
    return (name) => {
      const found = loaded.config.hosts.find((host) => host.name === name);
      if (found === undefined) throw new Error(name);
      return found;
    };
  }

  function probe(host: Host, ms = 5000): ReturnType<typeof probeHost> {
    return probeHost(host, { exposure: true, sudo: false }, transport, AbortSignal.timeout(ms));
  }

  async function failure(host: Host, ms?: number): Promise<ProbeFailure> {
    return (await probe(host, ms).catch((error: unknown) => error)) as ProbeFailure;
  }

  it('are probed through it, as it is itself, by one line of configuration', async () => {
    const direct = await hosts({});
    expect(await failure(direct('web'), 1000)).toMatchObject({ reason: 'timeout' });
    const host = await hosts({ proxy_jump: 'bastion' });
    const reports = await Promise.all(['bastion', 'web', 'db'].map((name) => probe(host(name))));
    expect(reports.map(({ dialledAddress }) => dialledAddress)).toEqual(
      ['bastion', 'web', 'db'].map((name) => lab.host(name).address),
    );
    expect(transport.bastionConnections).toBe(1);
  });

  it('are probed as an ssh_config says', async () => {
    const sshConfig = join(directory, 'ssh_config');
    const block = (name: string, lines: string): string =>
      `Host ${name}\n  HostName ${lab.host(name).address}\n  User ${labUser}\n${lines}`;
    writeFileSync(sshConfig, `${block('bastion', '')}${block('web', '  ProxyJump bastion\n')}`);
    const host = await hosts(
      { config_file: sshConfig, user: undefined },
      { web: { address: 'web' }, bastion: { address: 'bastion' } },
    );
    expect(host('web')).toMatchObject({ address: lab.host('web').address, ssh: { via: { name: 'bastion' } } });
    expect(await probe(host('web'))).toMatchObject({ dialledAddress: lab.host('web').address });
  });

  it('are probed with a key that can do nothing else on it, and only those that it names', async () => {
    const bastion = lab.host('bastion');
    const path = `/home/${labUser}/.ssh/authorized_keys`;
    const before = bastion.files.read(path);
    const options = `restrict,port-forwarding,permitopen="${lab.host('web').address}:22",command="/bin/false"`;
    bastion.files.write(path, `${options} ${before}`);
    const host = await hosts({ proxy_jump: 'bastion' });
    expect(await probe(host('web'))).toMatchObject({ withExposure: true });
    expect(await failure(host('db'))).toMatchObject({
      reason: 'connect',
      message: expect.stringMatching(/^via bastion bastion: it forbids a connection to .*permitopen/i) as string,
    });
    bastion.files.write(path, before);
  });

  it('are told of when it is gone without a word, and come back with it', async () => {
    const host = await hosts({ proxy_jump: 'bastion', connection: 'keep' });
    await probe(host('web'));
    await lab.host('bastion').partition('drop');
    const startedMs = performance.now();
    expect(await failure(host('db'), 10_000)).toMatchObject({
      reason: 'connect',
      message: expect.stringMatching(/^via bastion bastion: .* answers no more$/) as string,
    });
    expect(performance.now() - startedMs).toBeLessThan(7000);
    await lab.host('bastion').heal();
    expect(await probe(host('web'))).toMatchObject({ withExposure: true });
  }, 30_000);
});
