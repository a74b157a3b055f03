import type { Known } from '../fleet/known';
import { findUpdater } from '../updates/updater';
import type { FamilyHead, Labels, Sample } from './family';

/** A family of what installs updates on a host, and restarts it. */
export interface UpdateFamily extends FamilyHead {
  /** `names` are the labels of every series of the host. */
  readonly samples: (known: Known, names: Labels) => readonly Sample[];
}

/** Most series a host of live patches: each replaces the ones before it, so more than a few are none. */
const maxPatches = 10;

/** Most series a host of services; the gauge beside it counts them all. */
const maxServices = 20;

const cached = 'As of the last successful probe.';

export const updateFamilies: readonly UpdateFamily[] = [
  {
    name: 'automatic_updates_enabled',
    type: 'gauge',
    help: `Whether something on the host installs updates by itself: unattended-upgrades, dnf-automatic, transactional-update or what else its distribution has; absent while it can't be told. ${cached}`,
    samples({ facts }, names) {
      const updater = findUpdater(facts);
      return updater === null ? [] : [{ labels: names, value: updater.enabled ? 1 : 0 }];
    },
  },
  {
    name: 'automatic_updates_info',
    type: 'gauge',
    help: `What installs updates on the host by itself. ${cached}`,
    samples({ facts }, names) {
      const updater = findUpdater(facts);
      return updater?.name == null ? [] : [{ labels: names, more: { by: updater.name }, value: 1 }];
    },
  },
  {
    name: 'automatic_updates_last_run_timestamp_seconds',
    type: 'gauge',
    help: `Unix time at which that last ran: that it ran, not that it patched. ${cached}`,
    samples({ facts }, names) {
      const at = findUpdater(facts)?.lastRunSeconds ?? null;
      return at === null ? [] : [{ labels: names, value: at }];
    },
  },
  {
    name: 'reboot_expected_timestamp_seconds',
    type: 'gauge',
    help: `Unix time at which the host is expected to restart by itself, and by what: shutdown(8), or a program that is set to at a time of its own; absent when nothing says so. ${cached}`,
    samples(known, names) {
      const own = known.outlook.ownRestart;
      return own === null || own.atSeconds === null
        ? []
        : [{ labels: names, more: { by: own.by }, value: own.atSeconds }];
    },
  },
  {
    name: 'reboot_automatic_info',
    type: 'gauge',
    help: `What is set up on the host to restart it by itself, whether or not it is known when. ${cached}`,
    samples(known, names) {
      const own = known.outlook.ownRestart;
      return own === null ? [] : [{ labels: names, more: { by: own.by }, value: 1 }];
    },
  },
  {
    name: 'reboot_livepatch_info',
    type: 'gauge',
    help: `Live patches that are applied to the running kernel, at most ${maxPatches} of a host. ${cached}`,
    samples: (known, names) =>
      (known.outlook.livepatch?.patches ?? [])
        .slice(0, maxPatches)
        .map((patch) => ({ labels: names, more: { patch }, value: 1 })),
  },
  {
    name: 'reboot_livepatch_covered_until_timestamp_seconds',
    type: 'gauge',
    help: `Unix time until which the maker of the applied live patches makes them for the running kernel, by when that was built; absent where that can't be told. ${cached}`,
    samples(known, names) {
      const until = known.outlook.livepatch?.coveredUntilSeconds ?? null;
      return until === null ? [] : [{ labels: names, value: until }];
    },
  },
  {
    name: 'reboot_required_livepatched',
    type: 'gauge',
    help: `Whether a restart is needed for the kernel alone, and the running kernel is live patched; absent where no live patch is applied. ${cached}`,
    samples(known, names) {
      const found = known.outlook.livepatch;
      return found === null ? [] : [{ labels: names, value: found.isCovering ? 1 : 0 }];
    },
  },
  {
    name: 'outdated_services',
    type: 'gauge',
    help: `How many services of systemd started before a library that their program is linked with was replaced: restarting each of them is enough. At least so many: see the documentation. Absent where it can't be told. ${cached}`,
    samples(known, names) {
      const found = known.outlook.outdatedServices;
      return found === null ? [] : [{ labels: names, value: found.length }];
    },
  },
  {
    name: 'outdated_service_info',
    type: 'gauge',
    help: `Services that still run replaced libraries, at most ${maxServices} of a host. ${cached}`,
    samples: (known, names) =>
      (known.outlook.outdatedServices ?? [])
        .slice(0, maxServices)
        .map(({ unit }) => ({ labels: names, more: { service: unit }, value: 1 })),
  },
];
