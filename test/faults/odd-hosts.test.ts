import { type Socket, connect } from 'node:net';
import { ensureBuilt } from '../e2e/built-program';
import { ExporterProcess } from '../e2e/exporter-process';
import { scrape, type Scrape } from '../e2e/scrape';
import { until } from '../e2e/until';
import type { FailureReason } from '../../src/failure';
import { describeWithLab } from '../lab/describe-with-lab';
import type { LabHost } from '../lab/host';
import type { HostSpec } from '../lab/host-spec';
import { Lab } from '../lab/lab';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { peakBytes } from './peak-memory';
import type { HostTruth } from './truth';
import { TruthWatch } from './truth-watch';

jest.setTimeout(120_000);

const timeoutSeconds = 4;
const daySeconds = 86_400;
const bootedAt = new Date(Date.now() - 10 * daySeconds * 1000);

interface Odd {
  readonly spec?: Omit<HostSpec, 'name'>;
  /** Makes it odd while it is watched; left out: it is so from the start. */
  readonly spoil?: (host: LabHost) => unknown;
  readonly mend?: (host: LabHost) => unknown;
  /** The reasons that are right; null: it is probed as any other. */
  readonly reasons: readonly FailureReason[] | null;
  readonly says?: RegExp;
}

const held: Socket[] = [];

/** Holds logins open that never come to anything. */
async function holdLogins(host: LabHost): Promise<void> {
  for (let at = 0; at < 4; at += 1) held.push(connect(22, host.address).on('error', () => undefined));
  await new Promise((resolve) => setTimeout(resolve, 300));
}

function letLoginsGo(): void {
  for (const socket of held.splice(0)) socket.destroy();
}

const sshdSays = (lines: string): Pick<Odd, 'spoil' | 'mend'> => ({
  spoil: (host) => host.sshd.configure(lines),
  mend: (host) => host.sshd.configure(''),
});

/** A user's session that there is keeps the settings with which it began, so all of them end. */
async function writeSettings(host: LabHost, file: string, content: string): Promise<void> {
  host.write(file, content, file === '/etc/shadow' ? { mode: 0o600 } : {});
  await host.sshd.configure('');
}

const loginShell = (shell: string): Pick<Odd, 'spoil' | 'mend'> => {
  const change = (host: LabHost, to: string): Promise<void> =>
    writeSettings(
      host,
      '/etc/passwd',
      host.files.read('/etc/passwd').replace(/^(reboot-exporter:.*:)[^:]*$/m, `$1${to}`),
    );
  return { spoil: (host) => change(host, shell), mend: (host) => change(host, '/bin/bash') };
};

/** shadow(5): a user without a password, which was last changed on a day; on day 0 it has to be at the next login. */
const password = (lastChange: string): string =>
  `root:*:20000:0:99999:7:::\nreboot-exporter:*:${lastChange}:0:99999:7:::\n`;

/** Real sshd and real systems, in states that they are seen in. */
const odds: Readonly<Record<string, Odd>> = {
  good: { reasons: null },
  'one session a connection': { spec: { sshdConfig: 'MaxSessions 1' }, reasons: null },
  'no more logins at a time': {
    spec: { sshdConfig: 'MaxStartups 1:100:1' },
    ...{ spoil: holdLogins, mend: letLoginsGo, reasons: ['connect'], says: /Exceeded MaxStartups/ },
  },
  'a password that has to be changed': {
    spoil: (host) => writeSettings(host, '/etc/shadow', password('0')),
    mend: (host) => writeSettings(host, '/etc/shadow', password('20000')),
    ...{ reasons: ['command'], says: /[Pp]assword (change required|has expired)/ },
  },
  'a prompt after the key': {
    ...sshdSays('AuthenticationMethods publickey,keyboard-interactive\nKbdInteractiveAuthentication yes'),
    ...{ reasons: ['auth'], says: /accepted a key, but asks for more/ },
  },
  'nothing but prompts': {
    ...sshdSays('PubkeyAuthentication no\nKbdInteractiveAuthentication yes'),
    ...{ reasons: ['auth'], says: /keyboard-interactive/ },
  },
  'a command of its own that fails': {
    ...sshdSays('ForceCommand /bin/false'),
    ...{ reasons: ['command'], says: /exit status 1/ },
  },
  'a command of its own that never ends': {
    ...sshdSays('ForceCommand sleep 1000'),
    reasons: ['timeout'],
    says: /while \/bin\/sh ran/,
  },
  'a command of its own that writes without end': {
    ...sshdSays('ForceCommand cat /dev/zero'),
    ...{ reasons: ['output'], says: /more than 8388608 bytes/ },
  },
  'fish for a login shell': { ...loginShell('/usr/bin/fish'), reasons: null },
  'csh for a login shell': { ...loginShell('/bin/csh'), reasons: null },
  'nologin for a login shell': { ...loginShell('/usr/sbin/nologin'), reasons: ['command'], says: /not available/ },
  'false for a login shell': { ...loginShell('/bin/false'), reasons: ['command'], says: /exit status 1/ },
  'a restricted login shell': { ...loginShell('/bin/rbash'), reasons: ['command'], says: /restricted/ },
  'a full /run': {
    spoil: (host) =>
      host.shell('mount -o remount,size=64k /run; dd if=/dev/zero of=/run/filling bs=4k 2>/dev/null || :'),
    mend: (host) => host.shell('rm /run/filling'),
    reasons: null,
  },
  'no date and no stat': {
    spoil: (host) => host.shell('mv /usr/bin/date /usr/bin/date.away; mv /usr/bin/stat /usr/bin/stat.away'),
    mend: (host) => host.shell('mv /usr/bin/date.away /usr/bin/date; mv /usr/bin/stat.away /usr/bin/stat'),
    reasons: null,
  },
  'busybox for everything': { spec: { sh: 'busybox' }, reasons: null },
  'a clock set to 1970': {
    spoil: (host) => host.setClock(20 * daySeconds - Math.floor(Date.now() / 1000)),
    mend: (host) => host.setClock(0),
    reasons: null,
  },
  'a clock set to 2100': {
    spoil: (host) => host.setClock(4_102_444_800 - Math.floor(Date.now() / 1000)),
    mend: (host) => host.setClock(0),
    reasons: null,
  },
  'a network that drops everything': {
    spoil: (host) => host.partition('drop'),
    mend: (host) => host.heal(),
    ...{ reasons: ['timeout'], says: /timed out after 4\.\d s/ },
  },
  'a network that says that it is unreachable': {
    spoil: (host) => host.partition('reject'),
    mend: (host) => host.heal(),
    ...{ reasons: ['connect'], says: /unreachable|refused/ },
  },
  'a network that resets everything': {
    spoil: (host) => host.partition('reset'),
    mend: (host) => host.heal(),
    ...{ reasons: ['connect'], says: /refused|reset/ },
  },
  'a network that is half a second late': {
    spoil: (host) => host.delay(500),
    mend: (host) => host.heal(),
    reasons: null,
  },
};

const nameOf = new Map(Object.keys(odds).map((what) => [what, what.replace(/[^a-z0-9]+/g, '-')]));
/** Their clock tells another time than when they needed it: only the age can be told. */
const otherClock = new Set(['a clock set to 1970', 'a clock set to 2100']);

describeWithLab('real hosts in odd states, beside others', () => {
  let lab: Lab;
  let exporter: ExporterProcess;
  let watch: TruthWatch;
  let spoilt: Scrape;
  let flaggedAt: number;
  const hostOf = (what: string): LabHost => lab.host(nameOf.get(what) ?? '');

  beforeAll(async () => {
    ensureBuilt();
    lab = await Lab.start({
      hosts: Object.entries(odds).map(([what, { spec }]) => ({ ...spec, name: nameOf.get(what) ?? '', bootedAt })),
    });
    for (const host of lab.hosts) {
      if (!host.files.exists('/etc/shadow')) host.write('/etc/shadow', password('20000'), { mode: 0o600 });
      host.setFlag(['dbus']);
    }
    flaggedAt = Date.now() / 1000;
    const configFile = join(lab.folder, 'reboot-exporter.yml');
    // A connection that is kept would not notice who else may not log in.
    const fresh = { ssh: { connection: 'fresh' } };
    writeFileSync(
      configFile,
      lab.configYaml({
        probe: { interval: '2s', timeout: `${timeoutSeconds}s`, concurrency: 32 },
        hosts: { [nameOf.get('no more logins at a time') ?? '']: fresh },
      }),
    );
    watch = await TruthWatch.start();
    exporter = await ExporterProcess.start({
      configFile,
      stateFile: join(lab.folder, 'state.json'),
      flags: ['--log.level=debug'],
    });
    const well = await allSucceed();
    await watch.expect(Object.fromEntries(lab.hosts.map(({ name }) => [name, truthOf(well, name)])));
    await watch.attach(exporter.url);
    await watch.seen(2);

    for (const what of otherClock)
      await watch.expect({ [nameOf.get(what) ?? '']: { required: 'any', isKnown: false } });
    const begunMs = Date.now();
    await Promise.all(Object.entries(odds).map(([what, { spoil }]) => spoil?.(hostOf(what))));
    spoilt = await until(30, async () => {
      const metrics = await metricsNow();
      for (const [what, { reasons }] of Object.entries(odds))
        requireProbed(metrics, nameOf.get(what) ?? '', reasons, begunMs);
      return metrics;
    });
  });

  afterAll(async () => {
    letLoginsGo();
    await exporter?.kill();
    await watch?.stop();
    await lab?.stop();
  });

  const metricsNow = (): Promise<Scrape> => scrape(`${exporter.url}/metrics`);

  function allSucceed(): Promise<Scrape> {
    return until(30, async () => {
      const metrics = await metricsNow();
      const failing = metrics.all('reboot_probe_success').filter(({ value }) => value !== 1);
      expect(failing.map(({ labels }) => labels['host'])).toEqual([]);
      expect(metrics.all('reboot_required')).toHaveLength(lab.hosts.length);
      return metrics;
    });
  }

  /** Each was flagged a moment before; to when exactly a host tells it, it must stay. */
  function truthOf(metrics: Scrape, host: string): HostTruth {
    const sinceSeconds = metrics.value('reboot_required_since_timestamp_seconds', { host }) ?? NaN;
    expect(Math.abs(sinceSeconds - flaggedAt)).toBeLessThan(20);
    const bootSeconds = metrics.value('reboot_host_boot_timestamp_seconds', { host }) ?? NaN;
    return { required: 1, sinceSeconds, bootSeconds, isKnown: true };
  }

  function figuresOf(what: string): string {
    const host = nameOf.get(what) ?? '';
    const [reason = 'none'] = spoilt.labelValues('reboot_probe_failing_reason_info', 'reason', { host });
    return `| ${what} | \`${reason}\` | ${spoilt.value('reboot_probe_duration_seconds', { host })?.toFixed(2)} s |\n`;
  }

  test.each(Object.entries(odds))('%s', (what, { reasons, says }) => {
    const host = nameOf.get(what) ?? '';
    const [reason] = spoilt.labelValues('reboot_probe_failing_reason_info', 'reason', { host });
    expect(reason === undefined ? null : [reason]).toEqual(reasons);
    expect(spoilt.value('reboot_probe_duration_seconds', { host })).toBeLessThan(timeoutSeconds + 1);
    expect(spoilt.value('reboot_required', { host })).toBe(1);
    const since = spoilt.value('reboot_required_age_seconds', { host }) ?? NaN;
    // Whatever its clock is set to, a restart has been needed for as long as it has.
    expect(Math.abs(spoilt.endedMs / 1000 - since - flaggedAt)).toBeLessThan(20);
    const told = exporter.log
      .split('\n')
      .filter((line) => line.includes(` host=${host} `) && line.includes(` reason=${reason} `));
    if (says !== undefined) expect(told.join('\n')).toMatch(says);
  });

  test('each is well again with its next probe', async () => {
    await Promise.all(Object.entries(odds).map(([what, { mend }]) => mend?.(hostOf(what))));
    const metrics = await allSucceed();
    for (const what of otherClock) {
      await until(10, async () => {
        const host = nameOf.get(what) ?? '';
        const age = (await metricsNow()).value('reboot_required_age_seconds', { host }) ?? NaN;
        expect(Math.abs(Date.now() / 1000 - age - flaggedAt)).toBeLessThan(20);
      });
    }
    expect(metrics.all('reboot_required').map(({ value }) => value)).toEqual(lab.hosts.map(() => 1));
    await watch.seen(3);
  });

  test('/metrics answered within a second throughout, and never said what was not so', () => {
    process.stdout.write(`odd hosts: ${watch.summary}; peak ${(peakBytes(exporter.pid) / 1e6).toFixed(0)} MB\n`);
    // For docs/reliability.md.
    if (process.env['FIGURES'] !== undefined) process.stdout.write(Object.keys(odds).map(figuresOf).join(''));
    expect(watch.faults).toEqual([]);
    expect(watch.slowestMs).toBeLessThan(1000);
  });
});

/** @throws Error while the host was not probed since then with the right outcome. */
function requireProbed(metrics: Scrape, host: string, reasons: Odd['reasons'], sinceMs: number): void {
  const [reason] = metrics.labelValues('reboot_probe_failing_reason_info', 'reason', { host });
  if (reasons !== null) {
    if (!reasons.some((one) => one === reason)) throw new Error(`${host}: ${reason}, not ${reasons.join()}`);
    return;
  }
  const at = metrics.value('reboot_probe_last_success_timestamp_seconds', { host }) ?? 0;
  const took = metrics.value('reboot_probe_duration_seconds', { host }) ?? 0;
  // Half a second after all of them were made odd, at the latest, it is.
  if (reason !== undefined || 1000 * (at - took) < sinceMs + 1500)
    throw new Error(`${host} has not been probed: ${reason}`);
}
