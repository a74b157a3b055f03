import { section } from '../../test/fixture/said';
import { kernel } from './kernel';
import { os } from './os';
import { scheduled } from './scheduled';

describe('os', () => {
  test('reads values in double, single and no quotes', () => {
    const text = 'PRETTY_NAME="Ubuntu 24.04.1 LTS"\nNAME="Ubuntu"\nVERSION_ID=\'24.04\'\nID=ubuntu\nID_LIKE=debian\n';
    expect(os.parse(section('os', text))).toEqual({
      id: 'ubuntu',
      like: ['debian'],
      versionId: '24.04',
      prettyName: 'Ubuntu 24.04.1 LTS',
    });
  });

  test('has no version on a rolling distribution', () => {
    expect(os.parse(section('os', 'ID=arch\nVERSION_ID=\n')).versionId).toBeNull();
  });

  test('keeps several families apart', () => {
    expect(os.parse(section('os', 'ID="rocky"\nID_LIKE="rhel centos fedora"\n')).like).toEqual([
      'rhel',
      'centos',
      'fedora',
    ]);
  });
});

describe('kernel', () => {
  test('reads what runs, and takes empty lines for nothing', () => {
    const text = 'release=6.8.0-45-generic\nversion=#45-Ubuntu SMP\nsignature=Ubuntu 6.8.0-45.45-generic 6.8.12\n';
    expect(kernel.parse(section('kernel', text))).toEqual({
      release: '6.8.0-45-generic',
      version: '#45-Ubuntu SMP',
      signature: 'Ubuntu 6.8.0-45.45-generic 6.8.12',
      pinned: null,
    });
    expect(kernel.parse(section('kernel', 'release=\nversion=\n'))).toEqual({
      release: null,
      version: null,
      signature: null,
      pinned: null,
    });
  });

  test.each([
    ['6.8.12-4-pve', '6.8.12-4-pve'],
    ['GRUB_DEFAULT="gnulinux-advanced-8f0-a>gnulinux-6.8.12-4-pve-advanced-8f0-a"', '6.8.12-4-pve'],
    [
      'GRUB_DEFAULT="Advanced options for Proxmox VE GNU/Linux>Proxmox VE GNU/Linux, with Linux 6.8.12-4-pve"',
      '6.8.12-4-pve',
    ],
    ['', null],
  ])('reads which one is pinned from %j', (pin, pinned) => {
    expect(kernel.parse(section('kernel', `release=6.8.12-4-pve\npin=${pin}\n`)).pinned).toBe(pinned);
  });
});

describe('scheduled', () => {
  test('reads what shutdown(8) wrote', () => {
    const text = 'USEC=1795399200000000\nWARN_WALL=1\nMODE=reboot\n';
    expect(scheduled.parse(section('scheduled', text))).toEqual({ atSeconds: 1_795_399_200, mode: 'reboot' });
  });

  test.each(['', 'MODE=reboot\n', 'USEC=0\nMODE=reboot\n', 'USEC=x\n'])('%j: nothing is scheduled', (text) => {
    expect(scheduled.parse(section('scheduled', text))).toEqual({ atSeconds: null, mode: null });
  });
});
