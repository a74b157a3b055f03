/** A kernel's release taken apart. */
export interface KernelRelease {
  /** As `uname -r` prints it. */
  readonly name: string;
  /** The part that is ordered: `6.8.0-45` of `6.8.0-45-generic`. */
  readonly version: string;
  /** The part that must be the same: `generic`, `cloud-amd64`, `amd64`. */
  readonly flavour: string;
}

/**
 * Takes a release of Debian's and Ubuntu's naming apart: the version is every
 * leading part between dashes that begins with a digit. Null for names that
 * have no version or no flavour, such as those of meta packages.
 */
export function parseRelease(name: string): KernelRelease | null {
  if (name.length > 128) return null;
  const parts = name.split('-');
  // Raspberry Pi OS counts its builds in a part of their own: `6.1.0-rpi7-rpi-v8` is older than `6.1.0-rpi8-rpi-v8`.
  const flavourAt = parts.findIndex((part) => !/^(?:rpi)?[0-9]/.test(part));
  if (flavourAt < 1) return null;
  const version = parts.slice(0, flavourAt).join('-');
  // `linux-image-6.1-amd64` and the like are meta packages of some derivatives: a release has three numbers.
  if (!/^[0-9]+\.[0-9]+\.[0-9]/.test(version)) return null;
  return { name, version, flavour: parts.slice(flavourAt).join('-') };
}
