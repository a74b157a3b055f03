import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type fc from 'fast-check';
import { hostDocument } from '../../src/document/host-document';
import { DEFAULT_BOUNDS, examineExposure } from '../../src/exposure/evaluate';
import { parseExposureFacts } from '../../src/exposure/facts';
import { ProbeFailure } from '../../src/failure';
import { settleFacts, settleKnown, withOutlook } from '../../src/fleet/known';
import { Sharing } from '../../src/fleet/sharing';
import { afterSuccess, newStatus } from '../../src/fleet/status';
import { renderOneHost } from '../../src/metrics/fleet-text';
import { defaultPolicy } from '../../src/policy/defaults';
import { readFacts } from '../../src/reading';
import { decodeAnswer } from '../../src/report/frame';
import type { Section, Sections } from '../../src/report/section';
import { assessRestart } from '../../src/restart/restart';
import { renderHostPage } from '../../src/web/page/host-page';
import { parseExposition } from '../e2e/scrape';
import { readCases, sectionsOf } from '../exposure/recorded-case';
import { hostOf } from '../fixture/fake-fleet';
import { recordedHosts } from '../recorded/recorded-host';
import { piecesOf } from './generated';
import type { Target } from './target';

/** Reports are recorded with this nonce. */
const nonce = '0';
const hostName = 'web-1';
const maxDocumentBytes = 4 * 1024 * 1024;
const settings = { mode: 'evaluate', public: true, edge: null, ignore: [], dialledAddress: null } as const;
/** As many steps as are made on the event loop. */
const bounds = { ...DEFAULT_BOUNDS, operations: 20_000 };

const sharing = new Sharing();

/** Does with sections all that a probe does, up to the page, the JSON and the metrics. @throws Error when any of it is not as it must be. */
function takeThrough(sections: Sections): void {
  const facts = settleFacts(null, readFacts(sections), sharing);
  const { state, memory } = assessRestart(facts, sections, null);
  // What is remembered meets the same report again at the next probe.
  assessRestart(facts, sections, memory);
  const found = withOutlook({
    atMs: 0,
    atMonotonicMs: 0,
    restart: state,
    facts,
    hostClockOffsetSeconds: state.boot.nowSeconds,
    exposure: null,
  });
  const known = settleKnown(null, found, sharing);
  const status = afterSuccess(newStatus(hostOf(hostName)), { atMs: 0, durationSeconds: 0.1, failure: null }, known);
  const document = hostDocument(status, {
    monotonicMs: 1000,
    staleAfterSeconds: 3600,
    isScheduled: true,
    policy: defaultPolicy,
  });
  if (JSON.stringify(document).length > maxDocumentBytes) throw new Error('the JSON of the host is too large');
  for (const { name, labels, value } of parseExposition(renderOneHost({ status, known, monotonicMs: 1000 }, 'text'))) {
    if (labels['host'] !== hostName) throw new Error(`${name} tells of the host ${labels['host']}`);
    if (!Number.isFinite(value)) throw new Error(`${name} is ${value}`);
    if (name === 'reboot_required_age_seconds' && value < 0) throw new Error(`an age of ${value}`);
  }
  const page = renderHostPage({
    ...{ document, policy: defaultPolicy, window: null, nowMs: 0, needsToken: false },
    ...{ askedMs: null, refusal: null, root: '../' as const },
  });
  if (page.includes('<script>alert')) throw new Error('a script is on the page');
}

const reports = recordedHosts().flatMap(({ reports: all }) => all.map(({ answer }) => answer));

/** Words of what hosts send, from every section. */
const words = [
  ...[
    'date=',
    '1795305600.5 +0100\n',
    'date=-5.1\n',
    'boot_id=7d9f4b0e\n',
    'uptime=172800.52 1234.56\n',
    'stat=btime 1795132800\n',
  ],
  ...[
    'release=6.11.5-arch1-1\n',
    'version=#1 SMP\n',
    'pin=gnulinux-',
    'ID=debian\n',
    'ID=ubuntu\n',
    'ID="arch"\n',
    'VERSION_ID="12"\n',
  ],
  ...[
    'container=docker\n',
    'vendor=QEMU\n',
    'virtual=1\n',
    'package=ii |libc6|amd64|2.36-9\n',
    'unpacked=1795300000 /x/libc6.list\n',
  ],
  ...[
    'package=ii |linux-image-6.1.0-28-amd64|amd64|6.1.119-1\n',
    'package=glibc|0|2.34|1.el9|x86_64|1795300000\n',
    'database\n',
  ],
  ...[
    'present=reboot-required\n',
    'stat=reboot-required 1795300000 1795300000 32\n',
    'packages\nlibc6\nlinux-base\n',
    'livepatch\n',
  ],
  ...[
    'USEC=1795399200000000\nMODE=reboot\n',
    'unit=dnf-automatic.timer\n',
    'ran=1795300000 /stamp-x\n',
    'set=dnf reboot = when-needed\n',
  ],
  ...[
    'patch=1 0 lkp_Ubuntu_1\n',
    'replaced=1795300000 /libssl.so.3\n',
    'service=a.service 1 /bin/a\n',
    '/bin/a:libssl.so.3\n',
  ],
  ...[
    "upgrade='1'\n",
    "reboot='true'\n",
    "link=1 '/run/booted-system/kernel' -> '/nix/store/x'\n",
    'kind=ostree\n',
    '<script>alert(1)</script>',
  ],
];

/** The framing around pieces of it. */
const framing = [
  ...[
    'hello 1\n',
    'hello 2\n',
    'begin clock\n',
    'end clock 0\n',
    'begin boot\n',
    'end boot 0\n',
    'begin flag\n',
    'end flag 0\n',
  ],
  ...['begin dpkg\n', 'end dpkg 1\n', 'begin gzip\n', 'end gzip 0\n', 'done\n'],
].map((rest) => `\n=${nonce} ${rest}`);

const packed = gzipSync(`\n=${nonce} begin flag\npresent=reboot-required\n\n=${nonce} end flag 0\n`).toString('latin1');

async function sectionsIn(answer: Buffer): Promise<Sections> {
  return (await decodeAnswer(answer, nonce)).sections;
}

/** What a host sends, whole: anything but a report is a failure with the reason `output`. */
const answers: Target = {
  name: 'answer',
  share: 30,
  corpus: [
    ...reports,
    Buffer.from(
      `\n=${nonce} hello 1\n\n=${nonce} begin gzip\n${packed}\n=${nonce} end gzip 0\n\n=${nonce} done\n`,
      'latin1',
    ),
  ],
  generated: piecesOf([...framing, ...framing, ...words, packed]),
  async take(input) {
    let sections: Sections;
    try {
      sections = await sectionsIn(input);
    } catch (error) {
      if (error instanceof ProbeFailure && error.reason === 'output') return;
      throw error;
    }
    takeThrough(sections);
  },
};

/** A report of which one section is odd; what is framed wrongly gets no further than the framing. */
const sectionTarget: Target = {
  name: 'section',
  share: 34,
  corpus: reports,
  generated: piecesOf(words),
  async take(input, random, isGenerated) {
    const whole = await sectionsIn(random.oneOf(reports));
    const name = random.oneOf([...whole.keys()]);
    // A mutated input is a report; of that, the section, if it is still there.
    const body = isGenerated ? input : (await sectionsIn(input).catch(() => whole)).get(name)?.body;
    const sections = new Map<string, Section>(whole);
    sections.set(name, { name, status: random.oneOf([0, 0, 0, 1, 127]), body: body ?? input });
    takeThrough(sections);
  },
};

/** The largest recorded set would take most of the time. */
const cases = readCases(join(__dirname, '../exposure/cases')).filter(({ name }) => !name.includes('10k'));
const bodies = cases.flatMap((one) => [...sectionsOf(one, 'root', 'nft.json').values()].map(({ body }) => body));

const exposureWords: fc.Arbitrary<Buffer> = piecesOf([
  ...[
    '{"nftables":[',
    ']}',
    '{"table":{"family":"inet","name":"f","handle":1}}',
    ',',
    '{"chain":{"family":"inet","table":"f","name":"input",',
  ],
  ...[
    '"type":"filter","hook":"input","prio":0,"policy":"drop"}}',
    '{"rule":{"family":"inet","table":"f","chain":"input","expr":[',
  ],
  ...[
    '{"match":{"op":"==","left":{"payload":{"protocol":"tcp","field":"dport"}},"right":22}}',
    '{"accept":null}',
    '{"drop":null}',
    ']}}',
  ],
  ...[
    '*filter\n',
    ':INPUT DROP [0:0]\n',
    '-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n',
    '-A INPUT -s 10.0.0.0/8 -j DROP\n',
    'COMMIT\n',
  ],
  ...[
    '-m set --match-set s src ',
    '-m conntrack --ctstate ',
    'create s hash:net\n',
    'add s 203.0.113.0/24 nomatch\n',
    '0: 00000000:0016 00000000:0000 0A ',
  ],
  ...[
    '[{"ifname":"eth0","addr_info":[{"family":"inet","local":"203.0.113.10","prefixlen":24}]}]',
    'net.ipv4.ip_forward = 1\n',
  ],
]);

/** Firewall, sockets and routes, one section of a recorded host being odd. */
const exposure: Target = {
  name: 'exposure',
  share: 8,
  corpus: bodies,
  generated: exposureWords,
  take(input, random) {
    const whole = sectionsOf(
      random.oneOf(cases),
      random.oneOf(['root', 'user']),
      random.oneOf(['nft.json', 'nft-1.1.3.json']),
    );
    const name = random.oneOf([...whole.keys()]);
    const sections = new Map<string, Section>(whole);
    sections.set(name, { name, status: random.oneOf([0, 0, 0, 1]), body: input });
    // Not evaluateExposure, which hides a fault behind "unknown".
    examineExposure(parseExposureFacts(sections), settings, bounds);
  },
};

/** Everything that reads what hosts send. */
export const hostTargets: readonly Target[] = [answers, sectionTarget, exposure];
