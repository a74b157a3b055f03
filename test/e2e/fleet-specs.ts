import type { HostSpec } from '../lab/host-spec';
import type { SystemName } from '../lab/system';
import type { SeededRandom } from './seeded-random';

const systemsInTurn: readonly SystemName[] = ['ubuntu-24.04', 'debian-12', 'ubuntu-22.04', 'debian-13'];

/** Hosts of every kind that answers, in random boots. */
export function fleetSpecs(count: number, random: SeededRandom): HostSpec[] {
  return Array.from({ length: count }, (_, index): HostSpec => {
    const name = `h${String(index).padStart(2, '0')}`;
    const system = systemsInTurn[index % systemsInTurn.length] ?? 'debian-12';
    return {
      name,
      system,
      bootedAt: new Date(Date.now() - random.between(3600 * 24, 3600 * 24 * 300) * 1000),
      stack: index % 3 === 0 ? 'shop' : 'office',
      labels: { own: `label of ${name}` },
      exposure: index % 2 === 0 ? 'exposed' : 'internal',
      ...(index % 10 === 3 ? { birthTimes: false } : {}),
      ...(index % 16 === 5 ? { runPersists: true } : {}),
      ...(index % 20 === 7 ? { sh: 'busybox' } : {}),
      ...(index % 25 === 9 ? { container: 'lxc' } : {}),
      ...(index % 12 === 4 ? { shell: '/usr/bin/fish' } : {}),
    };
  });
}
