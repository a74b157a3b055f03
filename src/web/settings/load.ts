import { resolve } from 'node:path';
import { faultAt, fileStart, sortFaults, type Fault } from '../../config/fault';
import { checkSchema } from '../../config/schema-faults';
import { readTextFile } from '../../config/text-file';
import { readYamlText, type YamlText } from '../../config/yaml-text';
import { filesOfTls, resolveTls, type ResolvedTls } from './resolve-tls';
import { webConfigSchema, type WebConfigInput } from './schema';
import type { RateLimit, WebSettings } from './settings';

/** Settings ready for use, or everything that is wrong with them. */
export type WebSettingsResult = {
  /** null when there are faults. */
  readonly settings: WebSettings | null;
  readonly faults: readonly Fault[];
  readonly warnings: readonly Fault[];
  /** The file itself and those that it names: when one of them changes, it must be read again. */
  readonly files: readonly string[];
};

/** From this cost on a login takes seconds. */
const costlyFrom = 15;

/**
 * Reads a web configuration file and what it names. Each fault is told with its place; no message holds a secret.
 * Never throws. Blocks: it is called at the start and when a file has changed.
 */
export function loadWebSettings(path: string, nowMs: number): WebSettingsResult {
  const file = resolve(path);
  const source = readTextFile(file);
  if (!source.ok) return failed([faultAt(file, fileStart, source.message)], [file]);
  const { text, faults } = readYamlText(file, source.value);
  if (text === null || faults.length > 0) return failed(faults, [file]);
  const checked = checkSchema(text, webConfigSchema);
  if (checked.faults.length > 0) return failed(sortFaults(checked.faults), [file]);
  return resolveSettings(text, checked.value ?? {}, nowMs);
}

function resolveSettings(text: YamlText, input: WebConfigInput, nowMs: number): WebSettingsResult {
  const tlsInput = input.tls_server_config ?? {};
  const asksForTls = Object.values(tlsInput).some((value) => value !== undefined);
  const resolved: ResolvedTls = asksForTls
    ? resolveTls(text, tlsInput, nowMs)
    : { tls: null, faults: [], warnings: [] };
  const rate = resolveRateLimit(text, input);
  const faults = [...resolved.faults, ...rate.faults];
  const users = new Map(Object.entries(input.basic_auth_users ?? {}));
  const warnings = [...resolved.warnings, ...http2Warnings(text, input), ...costWarnings(text, users)];
  const files = [text.file, ...filesOfTls(text.file, tlsInput)];
  if (faults.length > 0) return { settings: null, faults: sortFaults(faults), warnings, files };
  const headers = Object.entries(input.http_server_config?.headers ?? {});
  const settings: WebSettings = {
    tls: resolved.tls,
    headers: Object.fromEntries(headers.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))),
    users,
    rateLimit: rate.limit,
  };
  return { settings, faults: [], warnings: sortFaults(warnings), files };
}

function resolveRateLimit(
  text: YamlText,
  { rate_limit: input }: WebConfigInput,
): { limit: RateLimit | null; faults: Fault[] } {
  const intervalSeconds = input?.interval ?? 0;
  if (intervalSeconds === 0) return { limit: null, faults: [] };
  const burst = input?.burst ?? 0;
  if (burst > 0) return { limit: { intervalSeconds, burst }, faults: [] };
  const message = 'rate_limit.burst: must be at least 1: with 0, no request would ever be answered';
  return { limit: null, faults: [faultAt(text.file, text.placeOf(['rate_limit', 'burst']), message)] };
}

function http2Warnings(text: YamlText, input: WebConfigInput): Fault[] {
  if (input.http_server_config?.http2 !== true) return [];
  const place = text.placeOf(['http_server_config', 'http2']);
  return [faultAt(text.file, place, 'http_server_config.http2: has no effect: only HTTP/1.1 is spoken here')];
}

function costWarnings(text: YamlText, users: ReadonlyMap<string, string>): Fault[] {
  return [...users].flatMap(([user, hash]) => {
    const cost = costOf(hash);
    if (cost < costlyFrom) return [];
    const place = text.placeOf(['basic_auth_users', user]);
    return [
      faultAt(
        text.file,
        place,
        `basic_auth_users: a cost of ${cost} makes each new login take seconds: 10 to 12 is usual`,
      ),
    ];
  });
}

/** The cost of a bcrypt hash: each step doubles the work. */
export function costOf(hash: string): number {
  return Number(hash.slice(4, 6));
}

function failed(faults: readonly Fault[], files: readonly string[]): WebSettingsResult {
  return { settings: null, faults, warnings: [], files };
}
