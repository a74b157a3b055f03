import { z } from 'zod';

const format = 'reboot-exporter-state';
const version = 1;

/** A host that was not seen for this long is forgotten. */
export const forgetAfterMs = 90 * 24 * 3600 * 1000;

const entrySchema = z.object({
  boot: z.object({
    id: z.string().nullable(),
    atSeconds: z.number().nullable(),
    earliestAtSeconds: z.number().nullable(),
    latestAtSeconds: z.number().nullable(),
  }),
  sinceSeconds: z.number().nullable(),
  evidence: z.enum(['birth', 'package', 'first_seen', 'modified']).nullable(),
  survivedRestart: z.boolean(),
  /** Unix time in milliseconds on the exporter's clock. */
  seenAtMs: z.number(),
});
/** What the state file has of one host. */
export type StoredEntry = z.infer<typeof entrySchema>;

const headSchema = z.object({ format: z.literal(format), version: z.int().min(1) });
const bodySchema = z.object({ hosts: z.record(z.string(), z.unknown()) });

/** The whole state file, of the texts of its hosts. */
export function formatMemory(hosts: readonly string[]): string {
  const head = JSON.stringify({ format, version });
  return `${head.slice(0, -1)},"hosts":{${hosts.join(',')}}}\n`;
}

/** One host in the state file. */
export function formatHost(host: string, entry: StoredEntry): string {
  return `${JSON.stringify(host)}:${JSON.stringify(entry)}`;
}

/** Reads a state file: hosts whose entry is not understood are dropped and counted, a file that is not ours is a fault. */
export function parseMemory(text: string): { hosts: Map<string, StoredEntry>; dropped: number } | { fault: string } {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { fault: text.trim() === '' ? 'it is empty' : 'it is cut off or not JSON' };
  }
  const head = headSchema.safeParse(json);
  if (!head.success) return { fault: 'it is not a state file of this program' };
  if (head.data.version > version) return { fault: `a newer exporter wrote it (version ${head.data.version})` };
  const body = bodySchema.safeParse(json);
  if (!body.success) return { fault: 'it has no hosts' };
  const hosts = new Map<string, StoredEntry>();
  let dropped = 0;
  for (const [host, value] of Object.entries(body.data.hosts)) {
    const entry = entrySchema.safeParse(value);
    if (entry.success) hosts.set(host, entry.data);
    else dropped++;
  }
  return { hosts, dropped };
}

/** Counted back from now or, if that is earlier, from the newest of the file: either may come from a clock that is years off. */
export function withoutForgotten(hosts: ReadonlyMap<string, StoredEntry>, nowMs: number): Map<string, StoredEntry> {
  let newestMs = -Infinity;
  for (const { seenAtMs } of hosts.values()) newestMs = Math.max(newestMs, seenAtMs);
  const oldestMs = Math.min(newestMs, nowMs) - forgetAfterMs;
  return new Map([...hosts].filter(([, { seenAtMs }]) => seenAtMs >= oldestMs));
}
