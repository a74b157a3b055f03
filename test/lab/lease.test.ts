import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { addressPlan } from './address-plan';
import { describeWithLab } from './describe-with-lab';
import { Lab } from './lab';
import { sshLogin } from './ssh-login';

jest.setTimeout(120_000);

/** Starts a lab, keeps its hosts busy, prints where it is, and waits to be killed. */
const ownerProgram = `
import { Lab } from '${path.join(__dirname, 'lab')}';
async function own(): Promise<void> {
  const lab = await Lab.start({ hosts: [{ name: 'a', listeners: ['tcp 0.0.0.0:80'] }, { name: 'b' }] });
  void lab.host('a').exec(['sleep', '1000']);
  await lab.host('b').delay(100);
  const namespaces = [lab.router.pid, ...lab.hosts.map((host) => host.power.up.pid)];
  console.log(JSON.stringify({ folder: lab.folder, namespaces }));
  setInterval(() => undefined, 1000);
}
void own();
`;

/** What a lab has on the machine. */
interface Traces {
  readonly folder: string;
  /** Processes in whose network namespaces everything of the lab is. */
  readonly namespaces: readonly number[];
}

async function startOwner(): Promise<{ readonly child: ChildProcess; readonly traces: Traces }> {
  const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'owner-')), 'owner.ts');
  fs.writeFileSync(file, ownerProgram);
  const hook = path.join(__dirname, 'typescript-hook.cjs');
  const child = spawn(process.execPath, ['--require', hook, file], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  fs.rmSync(path.dirname(file), { recursive: true });
  return { child, traces: JSON.parse(line) as Traces };
}

/** Network namespaces by their inode, and how many processes are in each. */
function processesIn(namespaces: readonly string[]): number {
  const pids = fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.filter((pid) => namespaces.includes(namespaceOf(pid) ?? '')).length;
}

function namespaceOf(pid: string): string | undefined {
  try {
    return fs.readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    return undefined;
  }
}

function remains(traces: Traces, namespaces: readonly string[]): string[] {
  const device = addressPlan(Number(path.basename(traces.folder).split('-')[0])).device;
  const left: string[] = [];
  if (fs.readFileSync('/proc/self/mounts', 'utf8').includes(traces.folder)) {
    left.push('mount');
  }
  if (fs.existsSync(`/sys/class/net/${device}`)) {
    left.push('device');
  }
  if (fs.existsSync(traces.folder)) {
    left.push('folder');
  }
  if (processesIn(namespaces) > 0) {
    left.push('processes');
  }
  return left;
}

describeWithLab('a lab whose owner dies', () => {
  test.each(['SIGKILL', 'SIGTERM'] as const)('by %s leaves nothing', async (signal) => {
    const { child, traces } = await startOwner();
    const namespaces = traces.namespaces.map((pid) => namespaceOf(`${pid}`) ?? '');
    expect(new Set(namespaces).size).toBe(3);
    expect(processesIn(namespaces)).toBeGreaterThan(8);
    expect(remains(traces, namespaces)).toEqual(['mount', 'device', 'folder', 'processes']);
    child.kill(signal);
    const killedAt = Date.now();
    while (remains(traces, namespaces).length > 0 && Date.now() - killedAt < 5000) {
      await sleep(20);
    }
    expect(remains(traces, namespaces)).toEqual([]);
  });

  test('together with its router leaves what the next start sweeps', async () => {
    const { child, traces } = await startOwner();
    const namespaces = traces.namespaces.map((pid) => namespaceOf(`${pid}`) ?? '');
    process.kill(traces.namespaces[0] ?? 0, 'SIGKILL');
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(remains(traces, namespaces)).toEqual(expect.arrayContaining(['mount', 'folder']));
    const next = await Lab.start({ hosts: [] });
    await next.stop();
    await sleep(500);
    expect(remains(traces, namespaces)).toEqual([]);
  });
});

describeWithLab('labs', () => {
  test('run side by side, and do not hear of each other', async () => {
    const labs = await Promise.all([1, 2, 3].map(() => Lab.start({ hosts: [{ name: 'same' }] })));
    expect(new Set(labs.map((lab) => lab.host('same').address)).size).toBe(3);
    await labs[1]?.stop();
    for (const lab of labs.filter((each) => each !== labs[1])) {
      expect(await sshLogin(lab, lab.host('same'), 'cat /proc/sys/kernel/random/boot_id')).toMatchObject({
        stdout: `${lab.host('same').bootId}\n`,
      });
      await lab.stop();
    }
  });

  test('that cannot start say why, and leave nothing', async () => {
    const before = fs.readFileSync('/proc/self/mounts', 'utf8');
    const good = { name: 'good' };
    const starts = [
      { hosts: [good, { name: 'rules', onBoot: 'nft nonsense' }], why: /host rules: [^]*syntax error/ },
      { hosts: [good, { name: 'config', sshdConfig: 'NoSuchKeyword yes' }], why: /NoSuchKeyword/ },
      { hosts: [good, { name: 'taken', listeners: ['tcp 0.0.0.0:22'] }], why: /Address already in use/ },
      { hosts: [good, good], why: /"good" is taken/ },
      { hosts: [{ name: 'no name' }], why: /no host name/ },
    ];
    for (const { hosts, why } of starts) {
      await expect(Lab.start({ hosts })).rejects.toThrow(why);
    }
    expect(fs.readFileSync('/proc/self/mounts', 'utf8')).toBe(before);
  });

  test('of fifty hosts start in seconds, and each host is itself', async () => {
    const began = Date.now();
    const lab = await Lab.start({ hosts: Array.from({ length: 50 }, (_, index) => ({ name: `host-${index}` })) });
    const startedMilliseconds = Date.now() - began;
    const asked = 'hostname; cat /proc/sys/kernel/random/boot_id';
    for (const host of lab.hosts) {
      const said = await host.exec(['sh', '-c', asked]);
      expect(said.stdout).toBe(`${host.name}\n${host.bootId}\n`);
    }
    const restartBegan = Date.now();
    await Promise.all(lab.hosts.map((host) => host.restart()));
    const restartedMilliseconds = Date.now() - restartBegan;
    const stopBegan = Date.now();
    await lab.stop();
    const figures = `start ${startedMilliseconds}, restart ${restartedMilliseconds}, stop ${Date.now() - stopBegan} ms`;
    process.stderr.write(`50 lab hosts: ${figures}\n`);
    expect(startedMilliseconds).toBeLessThan(20_000);
  });
});
