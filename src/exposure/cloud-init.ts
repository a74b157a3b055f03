import { parseAddress } from './addresses';
import { isRecord, jsonOf } from './reading';

const MAX_VALUES = 100_000;
const MAX_ADDRESSES = 64;

/**
 * The addresses that /run/cloud-init/instance-data.json calls public: every cloud names them differently (`public-ipv4`,
 * `public_ipv4`, `publicIpAddress`, `public-ipv4s`, `ipv4_association`, `externalIp`), so any string that is an address
 * below a key that says public, external or associated counts. Null if the file is not understood.
 */
export function parseCloudAddresses(text: string): readonly string[] | null {
  const json = jsonOf(text);
  if (!json.known) return null;
  const found = new Set<string>();
  const queue: { value: unknown; named: boolean }[] = [{ value: json.value, named: false }];
  for (let seen = 0; queue.length > 0 && seen < MAX_VALUES && found.size < MAX_ADDRESSES; seen += 1) {
    const next = queue.pop() as { value: unknown; named: boolean };
    if (typeof next.value === 'string') {
      if (next.named) collect(next.value, found);
    } else if (Array.isArray(next.value)) {
      for (const item of next.value as unknown[]) queue.push({ value: item, named: next.named });
    } else if (isRecord(next.value)) {
      for (const [key, item] of Object.entries(next.value)) {
        // EC2 has the public address itself as a key of `ipv4-associations`.
        if (next.named) collect(key, found);
        queue.push({ value: item, named: next.named || saysPublic(key) });
      }
    }
  }
  return [...found];
}

function saysPublic(key: string): boolean {
  const lower = key.toLowerCase();
  return (
    lower.includes('public') || lower.includes('external') || lower.includes('association') || lower === 'anchor_ipv4'
  );
}

function collect(text: string, found: Set<string>): void {
  for (const word of text.split(/[\s,]+/, 64)) {
    const bare = word.split('/')[0] ?? '';
    if (parseAddress(bare) !== null) found.add(bare);
  }
}
