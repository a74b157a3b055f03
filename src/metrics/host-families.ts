import { failureReasons } from '../failure';
import type { Host } from '../inventory/host';
import type { hostInfoLabels } from '../inventory/label';
import { ageSeconds, type HostStatus, type Known } from '../fleet/status';
import { findInstalled } from '../reading/dpkg';
import { installedKernels, newestKernel } from '../signal/kernel';
import { parseRelease } from '../signal/kernel-release';
import { newestRpmKernel } from '../signal/rpm-kernel';
import { keepWritten, type FamilyHead, type Labels, type Sample } from './family';
import { updateFamilies } from './update-families';

/** What the metrics of one host are made from. */
export interface HostView {
  readonly status: HostStatus;
  /** What is known and not yet stale. */
  readonly known: Known | null;
  /** Milliseconds of the exporter's monotonic clock at the scrape. */
  readonly monotonicMs: number;
}

/**
 * What the samples of a family rest on, and nothing else: all that is known of the host but for its clocks, its failed probes,
 * or anything of its status.
 */
export type Ground = 'known' | 'failures' | 'status';

/** A family with one or more series a host. */
export interface HostFamily extends FamilyHead {
  readonly ground: Ground;
  readonly samples: (view: HostView) => readonly Sample[];
  /** The value of its only sample, where that changes between probes: it is rendered anew when it is another at a scrape. */
  readonly live?: LiveValue;
}

/** Null: there is no sample. */
export type LiveValue = (view: HostView) => number | null;

/** Most series a host of one `…_info` family; the gauge beside it counts them all. */
export const maxInfoSeries = 100;

const cached = 'As of the last successful probe.';

/** Every family of hosts, in the order in which they are written. A new one is an entry here. */
export const hostFamilies: readonly HostFamily[] = [
  {
    name: 'reboot_required',
    type: 'gauge',
    help: `Whether the running system is older than what is installed, so that a restart is needed. Absent while it can't be told. ${cached}`,
    ...ifKnown((known, host) => {
      const { verdict } = known.restart;
      return verdict === 'unknown' ? [] : [{ labels: ownLabels(host), value: verdict === 'required' ? 1 : 0 }];
    }),
  },
  {
    name: 'reboot_required_unknown',
    type: 'gauge',
    help: `Whether the host answered but no signal could tell if a restart is needed. ${cached}`,
    ...ifKnown((known, host) => [{ labels: names(host), value: known.restart.verdict === 'unknown' ? 1 : 0 }]),
  },
  {
    name: 'reboot_required_age_seconds',
    type: 'gauge',
    help: 'How long a restart has been needed, continuously and in this boot, on the clock of the host; 0 when none is. Counted on between probes.',
    ground: 'known',
    live: age,
    samples(view) {
      const value = age(view);
      return value === null ? [] : [{ labels: ownLabels(view.status.host), value }];
    },
  },
  {
    name: 'reboot_required_since_timestamp_seconds',
    type: 'gauge',
    help: `Unix time since when a restart has been needed, on the clock of the host; absent when none is. ${cached}`,
    ...ifKnown((known, host) =>
      known.restart.sinceSeconds === null ? [] : [{ labels: names(host), value: known.restart.sinceSeconds }],
    ),
  },
  {
    name: 'reboot_required_reason_info',
    type: 'gauge',
    help: `One series for each signal that says a restart is needed. ${cached}`,
    ...ifKnown((known, host) => known.restart.reasons.map((reason) => info(host, { reason }))),
  },
  {
    name: 'reboot_required_package_info',
    type: 'gauge',
    help: `The packages that asked for the restart, at most ${maxInfoSeries} of a host. ${cached}`,
    ...ifKnown((known, host) =>
      known.restart.packages.slice(0, maxInfoSeries).map((name) => info(host, { package: name })),
    ),
  },
  {
    name: 'reboot_required_packages',
    type: 'gauge',
    help: `How many packages asked for the restart. ${cached}`,
    ...ifKnown((known, host) =>
      known.restart.verdict === 'unknown' ? [] : [{ labels: names(host), value: known.restart.packages.length }],
    ),
  },
  {
    name: 'reboot_still_required_after_restart',
    type: 'gauge',
    help: `Whether a restart was needed before the last one and was needed still when the host came up. ${cached}`,
    ...ifKnown((known, host) => [{ labels: names(host), value: known.restart.survivedRestart ? 1 : 0 }]),
  },
  {
    name: 'exposed_to_anywhere',
    type: 'gauge',
    help: `Whether at least one port accepts a new connection from any internet address; 1 too when that can't be ruled out (see the basis). ${cached}`,
    ...ifKnown(({ exposure }, host) =>
      exposure === null ? [] : [{ labels: ownLabels(host), value: exposure.verdict === 'not_exposed' ? 0 : 1 }],
    ),
  },
  {
    name: 'exposed_to_anywhere_basis_info',
    type: 'gauge',
    help: `What exposed_to_anywhere rests on: declared, proven, assumed or no-public-address. ${cached}`,
    ...ifKnown(({ exposure }, host) => (exposure === null ? [] : [info(host, { basis: exposure.basis })])),
  },
  {
    name: 'exposed_port_info',
    type: 'gauge',
    help: `The ports that are open to anywhere, at most ${maxInfoSeries} of a host. ${cached}`,
    ...ifKnown((known, host) =>
      exposedPorts(known)
        .slice(0, maxInfoSeries)
        // Not why it is: numbers of rules change all the time, and each would be another series.
        .map(({ port, proto, family }) => info(host, { port: String(port), proto, family })),
    ),
  },
  {
    name: 'exposed_ports',
    type: 'gauge',
    help: `How many ports are open to anywhere, each protocol and address family counted; absent while it can't be told. ${cached}`,
    ...ifKnown((known, host) =>
      known.exposure === null || known.exposure.verdict === 'unknown'
        ? []
        : [{ labels: names(host), value: exposedPorts(known).length }],
    ),
  },
  {
    name: 'reboot_host_info',
    type: 'gauge',
    help: `What runs on the host. ${cached}`,
    ...ifKnown((known, host) => [{ labels: ownLabels(host), more: hostInfo(known), value: 1 }]),
  },
  {
    name: 'reboot_host_boot_timestamp_seconds',
    type: 'gauge',
    help: `Unix time at which the host last booted; of a container, at which it started. ${cached}`,
    ...ifKnown(({ restart }, host) =>
      restart.boot.atSeconds === null ? [] : [{ labels: names(host), value: restart.boot.atSeconds }],
    ),
  },
  {
    name: 'reboot_host_boots_seen_total',
    type: 'counter',
    help: 'Restarts of the host that the exporter saw.',
    ground: 'status',
    samples: ({ status }) => [{ labels: names(status.host), value: status.restartsSeen }],
  },
  {
    name: 'reboot_host_restarting',
    type: 'gauge',
    help: 'Whether the host was well, dropped its connection, and has not answered since for up to 10 minutes.',
    ground: 'status',
    samples: ({ status }) => [
      { labels: names(status.host), value: status.restartingSinceMonotonicMs === null ? 0 : 1 },
    ],
  },
  {
    name: 'reboot_scheduled_timestamp_seconds',
    type: 'gauge',
    help: `Unix time of the restart that is already scheduled on the host; absent when none is. ${cached}`,
    ...ifKnown(({ facts }, host) => {
      const { atSeconds, mode } = facts.scheduled;
      return atSeconds === null || mode === 'poweroff' || mode === 'halt'
        ? []
        : [{ labels: names(host), value: atSeconds }];
    }),
  },
  {
    name: 'unattended_upgrades_installed',
    type: 'gauge',
    help: `Whether the unattended-upgrades package is installed; absent on systems without dpkg. ${cached}`,
    ...ifKnown(({ facts }, host) => {
      const installed = findInstalled(facts.dpkg, 'unattended-upgrades');
      return installed === undefined ? [] : [{ labels: names(host), value: installed === null ? 0 : 1 }];
    }),
  },
  {
    name: 'unattended_upgrades_enabled',
    type: 'gauge',
    help: `Whether unattended-upgrades is installed, switched on and its timer not off; absent while it can't be told. ${cached}`,
    ...ifKnown(({ facts }, host) => {
      const installed = findInstalled(facts.dpkg, 'unattended-upgrades');
      if (installed === undefined || (installed !== null && facts.patching.configured === null)) return [];
      return [{ labels: names(host), value: installed !== null && facts.patching.configured === true ? 1 : 0 }];
    }),
  },
  {
    name: 'unattended_upgrades_last_run_timestamp_seconds',
    type: 'gauge',
    help: `Unix time of unattended-upgrades' last run: that it ran, not that it patched. ${cached}`,
    ...ifKnown(({ facts }, host) =>
      facts.patching.lastRunSeconds === null ? [] : [{ labels: names(host), value: facts.patching.lastRunSeconds }],
    ),
  },
  ...updateFamilies.map((family): HostFamily => ({
    ...family,
    ...ifKnown((known, host) => family.samples(known, names(host))),
  })),
  {
    name: 'reboot_probe_success',
    type: 'gauge',
    help: 'Whether the last probe succeeded; absent before the first.',
    ground: 'status',
    samples: ({ status }) =>
      status.attempt === null ? [] : [{ labels: names(status.host), value: status.attempt.failure === null ? 1 : 0 }],
  },
  {
    name: 'reboot_probe_duration_seconds',
    type: 'gauge',
    help: 'How long the last probe took, from DNS to the end of the answer.',
    ground: 'status',
    samples: ({ status }) =>
      status.attempt === null ? [] : [{ labels: names(status.host), value: status.attempt.durationSeconds }],
  },
  {
    name: 'reboot_probe_last_success_timestamp_seconds',
    type: 'gauge',
    help: 'Unix time of the last successful probe, on the clock of the exporter.',
    ground: 'status',
    samples: ({ status }) =>
      status.known === null ? [] : [{ labels: names(status.host), value: status.known.atMs / 1000 }],
  },
  {
    name: 'reboot_probe_failing_reason_info',
    type: 'gauge',
    help: 'Why the last probe failed, while it does.',
    ground: 'status',
    samples: ({ status }) =>
      status.attempt?.failure == null ? [] : [info(status.host, { reason: status.attempt.failure.reason })],
  },
  {
    name: 'reboot_probe_failures_total',
    type: 'counter',
    help: 'Failed probes by reason, a closed set.',
    ground: 'failures',
    samples: ({ status }) =>
      failureReasons.map((reason) => ({
        labels: names(status.host),
        more: { reason },
        value: status.failures[reason] ?? 0,
      })),
  },
];

/** To the millisecond. */
function age({ known, monotonicMs }: HostView): number | null {
  const seconds = known === null ? null : ageSeconds(known, monotonicMs);
  return seconds === null ? null : Math.round(seconds * 1000) / 1000;
}

function ifKnown(samples: (known: Known, host: Host) => readonly Sample[]): Pick<HostFamily, 'ground' | 'samples'> {
  return { ground: 'known', samples: ({ status, known }) => (known === null ? [] : samples(known, status.host)) };
}

/** The labels of each host, which most of its families share. */
const namesOf = new WeakMap<Host, Labels>();
const ownLabelsOf = new WeakMap<Host, Labels>();

function names(host: Host): Labels {
  return kept(namesOf, host, () => ({ host: host.name, stack: host.stack }));
}

/** The labels of the core gauges: the host's own ones as well. */
function ownLabels(host: Host): Labels {
  return kept(ownLabelsOf, host, () => ({ ...names(host), ...host.labels }));
}

function kept(of: WeakMap<Host, Labels>, host: Host, make: () => Labels): Labels {
  const known = of.get(host);
  if (known !== undefined) return known;
  const labels = keepWritten(make());
  of.set(host, labels);
  return labels;
}

function info(host: Host, more: Labels): Sample {
  return { labels: names(host), more, value: 1 };
}

export function exposedPorts(known: Known): NonNullable<Known['exposure']>['ports'][number][] {
  return (known.exposure?.ports ?? []).filter((port) => port.openTo === 'anywhere' && !port.ignored);
}

/** What can't be told is an empty label, which Prometheus treats as an absent one. */
function hostInfo(known: Known): Labels {
  const { os, kernel, dpkg, machine } = known.facts;
  const running = kernel.release === null ? null : parseRelease(kernel.release);
  const ofFlavour = installedKernels(dpkg.packages ?? []).filter(
    (candidate) => candidate.release.flavour === running?.flavour,
  );
  return {
    os: os.id ?? '',
    os_version: os.versionId ?? '',
    kernel_running: kernel.release ?? '',
    kernel_installed:
      machine.container === null ? (newestKernel(ofFlavour)?.release.name ?? newestRpmKernel(known.facts) ?? '') : '',
    virtualization: machine.container ?? machine.virtualization ?? '',
    // The configuration refuses host labels of these names: a label must not stand twice.
  } satisfies Record<(typeof hostInfoLabels)[number], string>;
}
