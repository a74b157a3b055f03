import { z } from 'zod';

const isoTime = z.iso.datetime({ precision: 0 });

/**
 * One host in the JSON of `check` and of the API, as scripts may rely on it. Written apart from the source on
 * purpose: keys may be added, none of these may go or become something else. What can't be told is null.
 */
const hostSchema = z.looseObject({
  host: z.string(),
  stack: z.string(),
  labels: z.record(z.string(), z.string()),
  probe: z.looseObject({
    success: z.boolean(),
    reason: z
      .enum(['dns', 'connect', 'timeout', 'host_key', 'auth', 'protocol', 'command', 'output', 'internal'])
      .nullable(),
    message: z.string().nullable(),
    at: isoTime,
    duration_seconds: z.number().min(0),
  }),
  restart: z.looseObject({
    verdict: z.enum(['required', 'not_required', 'unknown']),
    since: isoTime.nullable(),
    age_seconds: z.number().min(0).nullable(),
    evidence: z.enum(['birth', 'package', 'first_seen', 'modified']).nullable(),
    reasons: z.array(z.string()),
    packages: z.array(z.string()),
  }),
  exposure: z.looseObject({
    verdict: z.enum(['exposed', 'not_exposed', 'unknown']),
    basis: z.enum(['proven', 'assumed', 'declared', 'no-public-address']).nullable(),
    ports: z.array(
      z.looseObject({
        proto: z.enum(['tcp', 'udp']),
        port: z.int().min(0).max(65_535),
        family: z.enum(['ipv4', 'ipv6']),
        open_to: z.enum(['anywhere', 'some', 'none', 'unknown']),
        because: z.string().min(1),
      }),
    ),
  }),
  urgency: z.enum(['none', 'info', 'warning', 'critical', 'unknown']),
});

const documentSchema = z.strictObject({ hosts: z.array(hostSchema) });

export type HostContract = z.output<typeof hostSchema>;

/** Reads the JSON of `check --format=json` or `/api/v1/hosts`, by host. @throws Error where it is not as agreed. */
export function parseHostDocuments(json: string): Map<string, HostContract> {
  const { hosts } = documentSchema.parse(JSON.parse(json));
  for (const { host, probe, restart } of hosts) {
    const required = restart.verdict === 'required';
    const fits = required === (restart.since !== null) && probe.success === (probe.reason === null);
    if (!fits || (restart.verdict === 'unknown') !== (restart.age_seconds === null)) {
      throw new Error(`${host}: parts of its document contradict each other: ${JSON.stringify({ probe, restart })}`);
    }
  }
  return new Map(hosts.map((host) => [host.host, host]));
}
