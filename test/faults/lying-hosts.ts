import { gzipSync } from 'node:zlib';
import { answerOf, type SimulatedHost } from '../../src/demo/simulated-host';
import { SECTION } from '../../src/exposure/section-names';
import type { FailureReason } from '../../src/failure';
import { exec, flood } from '../ssh/misbehaviours';
import type { HostileServer } from '../ssh/hostile-server';
import { healthyHost, serveReports, type ProbeRequest } from './switched-host';

/** A host that lets the probe in and answers what it should not. */
export interface Lie {
  readonly does: string;
  readonly serve: () => Promise<HostileServer>;
  /** Null: the answer is a report by its form, and only its own host is told wrongly of. */
  readonly reason: FailureReason | null;
  /** What the message says; empty where there is no failure. */
  readonly says: string | RegExp;
}

const mebibyte = 1024 * 1024;
const host = healthyHost('liar');
const now = (): number => Date.now() / 1000;

function report(request: ProbeRequest, changes: Partial<SimulatedHost> = {}, clockSeconds = now()): Buffer {
  return answerOf({ ...host, ...changes }, request.nonce, request.exposure, clockSeconds);
}

/** A section put before all others: the first of a name stands. */
function withSection(request: ProbeRequest, name: string, body: Buffer | string, whole = report(request)): Buffer {
  const head = Buffer.from(`\n=${request.nonce} hello 1\n`);
  const begin = Buffer.from(`\n=${request.nonce} begin ${name}\n`);
  const end = Buffer.from(`\n=${request.nonce} end ${name} 0\n`);
  return Buffer.concat([
    head,
    begin,
    typeof body === 'string' ? Buffer.from(body) : body,
    end,
    whole.subarray(head.length),
  ]);
}

function lie(does: string, answer: (request: ProbeRequest) => Buffer): Lie {
  return { does, serve: () => serveReports(answer), reason: null, says: '' };
}

function refused(
  does: string,
  says: string | RegExp,
  answer: (request: ProbeRequest) => Buffer,
  reason: FailureReason = 'output',
): Lie {
  return { does, serve: () => serveReports(answer), reason, says };
}

function flagOf(bornAt: number | string, names: string): string {
  return (
    `present=reboot-required\nstat=reboot-required ${bornAt} ${bornAt} 32\npresent=reboot-required.pkgs\n` +
    `stat=reboot-required.pkgs ${bornAt} ${bornAt} 9\npackages\n${names}`
  );
}

/** Text that would end a label, a line or a page, if it were let. */
export const injections = [
  'x"} 1\nreboot_required{host="good-1",stack="default"} 0\n#',
  'x\\',
  'x\\"} 1',
  '{x="y"}',
  'x\r\nreboot_required{host="good-1"} 0',
  '<script>alert(1)</script>',
  '\u202ex\u2028y\u0007',
];

const bomb = { packed: null as Buffer | null };
/** Two hundred megabytes of nothing, in two hundred kilobytes. */
function packedBomb(): Buffer {
  return (bomb.packed ??= gzipSync(Buffer.alloc(200 * mebibyte), { level: 9 }));
}

/** What is just not too much, for a ruleset that is none. */
function packedFirewall(nonce: string): Buffer {
  const begin = `\n=${nonce} begin ${SECTION.nftJson}\n`;
  return gzipSync(
    Buffer.concat([
      Buffer.from(begin),
      Buffer.alloc(30 * mebibyte, ' '),
      Buffer.from(`\n=${nonce} end ${SECTION.nftJson} 0\n`),
    ]),
    { level: 1 },
  );
}

/** Answers with a report, and with a bomb only when asked for the firewall. */
function bombWhereAsked(request: ProbeRequest): Buffer {
  return request.exposure ? withSection(request, 'gzip', packedBomb()) : report(request);
}

const names = (count: number): string => Array.from({ length: count }, (_, at) => `package-${at}\n`).join('');

/** Hosts whose answer is a report, but not a true one. */
export const lies: readonly Lie[] = [
  lie('has a clock in 1970', (request) => report(request, {}, 3600)),
  lie('has a clock in 2100', (request) => report(request, {}, 4_102_444_800)),
  lie('has a clock below zero, and an uptime too', (request) =>
    withSection(
      request,
      'clock',
      'date=-5.25 +0000\n',
      withSection(request, 'boot', 'boot_id=x\nuptime=-3 1\nstat=btime 18446744073709551000\n'),
    ),
  ),
  lie('has another clock at each probe', (request) => report(request, {}, Math.random() * 4e9)),
  lie('is another boot at each probe', (request) =>
    report(request, { bootId: `${Math.random()}`, bootedAt: Math.floor(Math.random() * 2e9) }),
  ),
  lie('wants a restart since tomorrow', (request) =>
    withSection(request, 'flag', flagOf(Math.floor(now()) + 86_400, 'libc6\n')),
  ),
  lie('wants a restart since before the beginning of time', (request) =>
    withSection(request, 'flag', flagOf('-1', 'libc6\n')),
  ),
  lie('writes labels that would end the label', (request) => {
    const [first = '', ...rest] = injections.map((text) => text.split('\n')[0] ?? '');
    const os = withSection(request, 'os', `ID=${first}\nVERSION_ID="${rest[0]}"\n`);
    return withSection(
      request,
      'flag',
      flagOf(host.flag?.bornAt ?? 1, injections.join('\n')),
      withSection(request, 'kernel', `release=${injections.join(' ')}\n`, os),
    );
  }),
  lie('writes bytes that are no UTF-8', (request) => {
    const bytes = Buffer.from(Array.from({ length: 4096 }, (_, at) => 0x80 + (at % 0x80)));
    return withSection(
      request,
      'os',
      Buffer.concat([Buffer.from('ID='), bytes]),
      withSection(request, 'flag', Buffer.concat([Buffer.from('present=reboot-required\npackages\n'), bytes])),
    );
  }),
  lie('writes NUL bytes', (request) =>
    withSection(
      request,
      'os',
      'ID=deb\0ian\nVERSION_ID="1\0"\n',
      withSection(request, 'flag', flagOf(1, 'li\0bc6\n\0\0\n')),
    ),
  ),
  lie('says that it is another host', (request) =>
    withSection(
      request,
      'os',
      'ID=ubuntu\nNAME="good-1"\nhost=good-1\n',
      withSection(request, 'flag', flagOf(1, 'host="good-1"\ngood-1\n')),
    ),
  ),
  lie('names a hundred thousand packages', (request) =>
    withSection(request, 'flag', flagOf(host.flag?.bornAt ?? 1, names(100_000))),
  ),
  lie('has a hundred thousand packages installed', (request) => {
    const lines = Array.from(
      { length: 100_000 },
      (_, at) => `package=ii |linux-image-6.${at}.0-1-amd64|amd64|6.${at}.1\n`,
    );
    return withSection(request, 'dpkg', lines.join(''));
  }),
  lie('forges the ends of its sections', (request) =>
    withSection(
      request,
      'flag',
      `${flagOf(1, 'x\n')}\n=0 end flag 0\n\n=${request.nonce} end clock 0\n\n=${'f'.repeat(32)} done\n`,
    ),
  ),
  lie('sends a bomb where the firewall should be', bombWhereAsked),
  lie('packs thirty megabytes of nothing into its firewall', (request) =>
    withSection(request, 'gzip', packedFirewall(request.nonce)),
  ),
  lie('nests its firewall two hundred thousand levels deep', (request) =>
    withSection(request, SECTION.nftJson, `{"nftables":[${'{"rule":{"expr":['.repeat(66_000)}`),
  ),
];

/** Hosts whose answer is no report. */
export const refusals: readonly Lie[] = [
  refused('sends a list of packages of ten megabytes', /sent more than 8388608 bytes on standard output/, (request) =>
    withSection(request, 'flag', flagOf(1, names(900_000))),
  ),
  refused('sends a bomb', 'unpacks to more than 33554432 bytes', (request) =>
    withSection(request, 'gzip', packedBomb()),
  ),
  refused('sends half of what it packed', 'is not a whole gzip stream', (request) =>
    withSection(request, 'gzip', packedBomb().subarray(0, 5000)),
  ),
  refused('sends half of its report', 'the probe report is cut off', (request) => report(request).subarray(0, 900)),
  refused('sends the report of another probe', 'no probe report in the answer', () =>
    report({ nonce: 'f'.repeat(32), exposure: true }),
  ),
  refused('forges the end before its report', /the probe report is cut off|no probe report/, (request) =>
    Buffer.from(`\n=${request.nonce} done\n`),
  ),
  refused('has a program of the future', 'has version 99', (request) =>
    Buffer.from(`\n=${request.nonce} hello 99\n\n=${request.nonce} done\n`),
  ),
  refused('has neither clock nor boot', 'neither a clock nor a boot id', (request) =>
    Buffer.from(`\n=${request.nonce} hello 1\n\n=${request.nonce} done\n`),
  ),
  refused('sends three hundred sections', 'more than 256 sections', (request) =>
    Buffer.concat([...Array.from({ length: 300 }, (_, at) => withSection(request, `s${at}`, '', Buffer.alloc(0)))]),
  ),
  refused('answers nothing', 'no probe report in the answer (it is empty)', () => Buffer.alloc(0)),
  {
    does: 'has no shell',
    serve: () =>
      serveReports(
        () => Buffer.from('sh: not found\n'),
        (channel) => {
          channel.exit(127);
          channel.end();
        },
      ),
    reason: 'command',
    says: 'did not run the probe (exit status 127): sh: not found',
  },
  {
    does: 'kills the probe',
    serve: () =>
      serveReports(
        () => Buffer.alloc(0),
        (channel) => {
          channel.exit('KILL', false);
          channel.end();
        },
      ),
    reason: 'command',
    says: 'did not run the probe (SIGKILL)',
  },
  {
    does: 'floods both its outputs',
    serve: () =>
      exec((channel) => {
        flood(channel);
        flood(channel.stderr);
      }),
    reason: 'output',
    says: /sent (more than|too much)/,
  },
];
