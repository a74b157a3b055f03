import { isIP } from 'node:net';
import { z } from 'zod';
import { faultAt, type Fault, type Place } from '../config/fault';
import { right, wrong, type Reading } from '../config/reading';
import { checkSchema } from '../config/schema-faults';
import type { YamlText } from '../config/yaml-text';
import { defaultStack, type HostEntry } from './entry';
import { readLabelName, readLabelValue, reservedLabels } from './label';
import { readAddress, readHostName } from './name';
import type { InventoryAnswer } from './source';

/** What a port after a target is for: `ssh`, or that of an exporter on the host, which is left aside. */
export type TargetPort = 'ssh' | 'ignore';

export const targetPortSchema = z.enum(['ssh', 'ignore']).optional().meta({
  description:
    "What the port of a target is for. ssh: it is that of sshd. ignore: it is an exporter's and left aside. Default: ssh.",
});

/** Prometheus' format of file_sd and http_sd: https://prometheus.io/docs/prometheus/latest/configuration/configuration/#file_sd_config */
const groupsSchema = z.array(
  z.strictObject({
    targets: z.array(z.string()),
    labels: z.record(z.string(), z.string()).optional(),
  }),
);

/** The ports that Prometheus' exporters are allotted; sshd is not found there. */
function isExporterPort(port: number): boolean {
  return port >= 9100 && port <= 9999;
}

export interface Target {
  readonly address: string;
  readonly port: number | null;
}

/**
 * Reads target groups. A target `host` or `host:port` is a host's name and address. The label `host` names it
 * otherwise, `stack` gives its stack, those that start with `__` are left aside as Prometheus does after relabelling,
 * and the others become the host's labels, but for those that the exporter sets itself: they are left out with a warning.
 */
export function readTargetGroups(text: YamlText, targetPort: TargetPort, fromService: boolean): InventoryAnswer {
  const { value: groups, text: rest, faults: shapeFaults } = checkSchema(text, groupsSchema);
  const hosts: HostEntry[] = [];
  const faults: Fault[] = [...shapeFaults];
  const warnings = new Map<string, Fault>();
  for (const [i, group] of (groups ?? []).entries()) {
    const labels = readLabels(rest, i, group.labels ?? {}, faults, warnings);
    for (const [j, written] of group.targets.entries()) {
      const place = (): Place => rest.placeOf([i, 'targets', j]);
      const target = readTarget(written, labels.name);
      if (!target.ok) {
        faults.push(faultAt(rest.file, place(), target.message));
        continue;
      }
      const { name, address } = target.value;
      const port = targetPort === 'ssh' ? target.value.port : null;
      if (port !== null && isExporterPort(port) && !warnings.has('')) {
        warnings.set('', faultAt(rest.file, place(), exporterPortWarning(written)));
      }
      const ssh = port === null ? {} : { port };
      hosts.push({
        name,
        address,
        stack: labels.stack,
        labels: labels.own,
        ssh,
        exposure: null,
        fromService,
        file: rest.file,
        place,
      });
    }
  }
  return { hosts, faults, warnings: [...warnings.values()] };
}

function readTarget(written: string, labelled: string | null): Reading<Target & { readonly name: string }> {
  const target = parseTarget(written);
  if (!target.ok) return target;
  const name = readHostName(labelled ?? target.value.address);
  return name.ok ? right({ ...target.value, name: name.value }) : name;
}

/** Splits `host`, `host:port`, `[2001:db8::1]:22` or a bare IPv6 address. */
export function parseTarget(written: string): Reading<Target> {
  if (isIP(written) === 6) return right({ address: written, port: null });
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(\d{1,5}))?$/.exec(written);
  if (match === null) return wrong(`\`${written}\` is no target: write \`host\`, \`host:port\` or \`[address]:port\``);
  const [, bracketed, plain, digits] = match;
  const port = digits === undefined ? null : Number(digits);
  if (port !== null && (port < 1 || port > 65_535))
    return wrong(`\`${written}\` has no port: it is a number from 1 to 65535`);
  if (bracketed !== undefined && isIP(bracketed) !== 6)
    return wrong(`\`${written}\` has brackets around what is no IPv6 address`);
  const address = readAddress(bracketed ?? plain ?? '');
  return address.ok ? right({ address: address.value, port }) : address;
}

interface GroupLabels {
  readonly stack: string;
  readonly name: string | null;
  readonly own: Readonly<Record<string, string>>;
}

function readLabels(
  text: YamlText,
  group: number,
  written: Readonly<Record<string, string>>,
  faults: Fault[],
  warnings: Map<string, Fault>,
): GroupLabels {
  const own: Record<string, string> = {};
  for (const [name, value] of Object.entries(written)) {
    if (name.startsWith('__') || name === 'stack' || name === 'host') continue;
    const path = [group, 'labels', name];
    const owner = reservedLabels.get(name);
    if (owner !== undefined) {
      if (!warnings.has(name))
        warnings.set(name, faultAt(text.file, text.placeOf(path, 'key'), `label \`${name}\` is left out: ${owner}`));
      continue;
    }
    const readName = readLabelName(name);
    const readValue = readLabelValue(value);
    if (!readName.ok) faults.push(faultAt(text.file, text.placeOf(path, 'key'), readName.message));
    if (!readValue.ok) faults.push(faultAt(text.file, text.placeOf(path), readValue.message));
    // An empty label is the same as none in Prometheus' data model.
    if (readName.ok && readValue.ok && value !== '') own[name] = value;
  }
  const stack = written['stack'] ?? '';
  const host = written['host'] ?? '';
  return { stack: stack === '' ? defaultStack : stack, name: host === '' ? null : host, own };
}

function exporterPortWarning(written: string): string {
  return `\`${written}\` looks like an exporter's port, but is taken for that of sshd: with \`target_port: ignore\` it is left aside`;
}
