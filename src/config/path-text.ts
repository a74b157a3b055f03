import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

/** A path as a configuration file means it: from its own folder, or from the home folder after `~/`. */
export function resolvePath(fromFile: string, written: string): string {
  if (written === '~') return homedir();
  if (written.startsWith('~/')) return join(homedir(), written.slice(2));
  return resolve(dirname(fromFile), written);
}
