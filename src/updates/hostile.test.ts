import fc from 'fast-check';
import { section } from '../../test/fixture/said';
import { readFacts, readings } from '../reading';
import { findLivepatch } from '../restart/livepatch';
import { findOutdatedServices } from '../restart/outdated-services';
import { assessRestart } from '../restart/restart';
import { signals } from '../signal';
import { findOwnRestart } from './own-restart';
import { findUpdater } from './updater';

/** What hosts send, and pieces of it, so that a random text gets far. */
const words = [
  ...[
    'loaded\n',
    'linked\n',
    'folder=6.11.6-arch1-1\n',
    'package 6.11.6-arch1-1=linux\n',
    'installed=6.6.58-0-lts\n',
    'unpacked=',
  ],
  ...[
    "link=1 '/run/booted-system/kernel' -> '/nix/store/x'\n",
    'link=',
    "' -> '",
    '/nix/var/nix/profiles/system/specialisation/',
  ],
  ...[
    'present=1\n',
    'present\n',
    'born=',
    'modified=',
    'mode=run\n',
    'current_kernels=a,b\n',
    'base_status=try\ntry_base=c\n',
  ],
  ...[
    'unit=rebootmgr.service\n',
    'unit=transactional-update.timer\n',
    'unit=dnf-automatic.timer\n',
    'ran=1 /stamp-',
    'set=rebootmgr window-start=',
  ],
  ...[
    'set=dnf apply_updates = yes\n',
    'set=dnf reboot = when-needed\n',
    'cron=yast\n',
    'kured=1\n',
    '--start-time=2am\n',
    '--reboot-days=',
    '03:30\n',
  ],
  ...[
    'patch=1 0 lkp_Ubuntu_1\n',
    'replaced=1795300000 /libssl.so.3\n',
    'service=a.service 1 /bin/a\n',
    '/bin/a:libssl.so.3\n',
    'pin=gnulinux-',
  ],
  ...[
    'ID=arch\n',
    'ID=alpine\n',
    'ID=nixos\n',
    'ID=flatcar\n',
    'ID=ubuntu-core\n',
    'ID=debian\n',
    'release=6.11.5-arch1-1\n',
    'version=Mon Nov 4 2024\n',
  ],
  ...[
    'date=1795305600.5 +0100\n',
    'stat=btime 1795132800\n',
    "reboot='true'\n",
    "reboot_time='02:00'\n",
    'USEC=1795399200000000\nMODE=reboot\n',
  ],
  ...['1795305600', '99999999999999999999', '-1', '\n', ' ', '=', '\0', '\u001b[2J', '\u202e', 'é', "'", '"', '/'],
];

const body = fc.oneof(
  fc.array(fc.constantFrom(...words), { maxLength: 40 }).map((parts) => Buffer.from(parts.join(''))),
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
);

const names = [...Object.values(readings), ...signals].map(({ name }) => name);
const printable = /^[^\u0000-\u001f\u007f-\u009f\u202a-\u202e]*$/;

test('whatever a host sends, nothing throws, times are numbers and words are printable and bounded', () => {
  fc.assert(
    fc.property(fc.array(body, { minLength: names.length, maxLength: names.length }), fc.boolean(), (bodies, ends) => {
      const sections = new Map(names.map((name, at) => [name, section(name, bodies[at] ?? '', ends ? 0 : 1)]));
      const facts = readFacts(sections);
      const { state } = assessRestart(facts, sections, null);
      for (const { finding } of state.findings) {
        expect(finding.because).toMatch(printable);
        expect(finding.because.length).toBeLessThan(10_000);
      }
      const own = findOwnRestart(facts, state);
      expect(own?.because ?? '').toMatch(printable);
      const livepatch = findLivepatch(facts, state);
      const times = [own?.atSeconds, livepatch?.coveredUntilSeconds, findUpdater(facts)?.lastRunSeconds];
      for (const service of findOutdatedServices(facts, state) ?? []) {
        times.push(service.sinceSeconds);
        expect(service.unit).toMatch(printable);
      }
      for (const time of times) expect(time == null || Number.isFinite(time)).toBe(true);
    }),
    { numRuns: 1500 },
  );
});

test('a text without end takes no time to speak of', () => {
  const long = Buffer.from(words.join('').repeat(3000));
  const sections = new Map(names.map((name) => [name, section(name, long)]));
  const started = performance.now();
  const facts = readFacts(sections);
  const { state } = assessRestart(facts, sections, null);
  findOwnRestart(facts, state);
  findLivepatch(facts, state);
  findOutdatedServices(facts, state);
  expect(performance.now() - started).toBeLessThan(10_000);
});
