import { type Option, has, markOf, optionNamed } from './iptables-words';
import type { Packet } from './packet';

/** --set-xmark value/mask clears the mask's bits and XORs the value; the other spellings are saved as it. */
export function newMark(old: number | null, options: readonly Option[]): number | null {
  const xmark = optionNamed(options, '--set-xmark');
  const set = optionNamed(options, '--set-mark');
  const or = optionNamed(options, '--or-mark');
  const and = optionNamed(options, '--and-mark');
  const wanted = markOf((xmark ?? set ?? or ?? and)?.values[0] ?? '');
  if (wanted === null) return null;
  if (wanted.mask === 0xffffffff && (xmark ?? set) !== null) return wanted.value;
  if (old === null) return null;
  if (or !== null) return (old | wanted.value) >>> 0;
  if (and !== null) return (old & wanted.value) >>> 0;
  if (xmark !== null) return ((old & ~wanted.mask) ^ wanted.value) >>> 0;
  return ((old & ~wanted.mask) | wanted.value) >>> 0;
}

/** --save-mark and --restore-mark copy between packet and connection, where there is one. */
export function connmark(packet: Packet, options: readonly Option[]): Packet {
  if (packet.tracking !== 'new' && packet.tracking !== 'established') return packet;
  const { connection } = packet;
  const maskOf = (name: string): number | null => {
    const option = optionNamed(options, name, '--mask');
    return option === null ? 0xffffffff : (markOf(option.values[0] ?? '')?.value ?? null);
  };
  const ctMask = maskOf('--ctmask');
  const nfMask = maskOf('--nfmask');
  if (has(options, '--save-mark'))
    return { ...packet, connection: { ...connection, mark: mixed(connection.mark, packet.mark, ctMask, nfMask) } };
  if (has(options, '--restore-mark')) return { ...packet, mark: mixed(packet.mark, connection.mark, nfMask, ctMask) };
  return { ...packet, connection: { ...connection, mark: newMark(connection.mark, options) } };
}

/** to = (to & ~toMask) ^ (from & fromMask) (net/netfilter/xt_connmark.c). */
function mixed(to: number | null, from: number | null, toMask: number | null, fromMask: number | null): number | null {
  if (from === null || toMask === null || fromMask === null) return null;
  if (to === null) return toMask === 0xffffffff ? (from & fromMask) >>> 0 : null;
  return ((to & ~toMask) ^ (from & fromMask)) >>> 0;
}
