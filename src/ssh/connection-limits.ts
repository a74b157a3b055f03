import { maxErrorBytes } from './command';

/**
 * What a host may send before the user is authenticated: greeting, key exchange, banners.
 * ssh2 goes over the whole greeting again with each piece of it, so this bounds its time as well.
 */
export const maxHandshakeBytes = 64 * 1024;
/** What a host may send while nobody asks it for anything. */
export const maxIdleBytes = 64 * 1024;
/** What a bastion may send beyond what hosts behind it were asked for, all of them together. */
export const maxForwardBytes = 64 * 1024 * 1024;
/**
 * How much of that each channel allows for: the window ssh2 gives is 2 MiB, and what a host sent may be on its way in small
 * pieces when we close the channel.
 */
export const channelBytes = 4 * 1024 * 1024;
/** What a bastion may add to each piece of a host's data. */
export const channelFramingBytes = 128;
/** Room for the framing of what it sends when asked. */
const framingBytes = 512 * 1024;

/** A handshake on the way longer than this lets the next one begin: a host that stalls must not hold up others. */
export const maxTurnMs = 1000;
/** How often a host may exchange keys again during one command: each time costs us a signature to check. */
export const maxKeyExchanges = 4;
/** How long a host has to answer on a connection kept from before; one that restarted without a word never does. */
export const keptAnswerMs = 2000;
/** How long a kept connection is quiet before the kernel asks the host whether it is still there. */
export const peerCheckMs = 15_000;
/** How long a host has to close its side after a polite goodbye. */
export const farewellMs = 500;

/** What a host may send while it runs a command: short packets are mostly framing. */
export function maxSessionBytes(maxOutputBytes: number): number {
  return 2 * maxOutputBytes + maxErrorBytes + framingBytes;
}
