/**
 * What a configuration can opt into for old servers, by name. Each is weaker than what is offered otherwise, but not
 * broken for what happens here: a session of a second, under a host key that is known beforehand.
 *
 * - SHA-1 in signatures and key exchange: collisions can be made (Leurent and Peyrin, 2020), but a forged signature needs
 *   a second preimage, which nobody can make.
 * - group14: 2048 bits, still held for safe; what is old is the SHA-1 around it.
 * - CBC: a bit of plaintext may be guessed by who can tamper with the connection (CPNI-957037), at the price of breaking it.
 * - HMAC-SHA-1 is not touched by SHA-1's collisions.
 *
 * Left out for good: DSA keys and group1 (1024 bits), RC4, 3DES, Blowfish and CAST (weak or of short blocks), MD5, and group
 * exchange, where a server chooses how long this process computes.
 */
export const legacyAlgorithms = [
  'ssh-rsa',
  'diffie-hellman-group14-sha1',
  'aes128-cbc',
  'aes192-cbc',
  'aes256-cbc',
  'hmac-sha1',
  'hmac-sha1-etm@openssh.com',
] as const;

/** The name of an algorithm that has to be opted into. */
export type LegacyAlgorithm = (typeof legacyAlgorithms)[number];

/** Whether a name is one of them. */
export function isLegacyAlgorithm(name: string): name is LegacyAlgorithm {
  return (legacyAlgorithms as readonly string[]).includes(name);
}
