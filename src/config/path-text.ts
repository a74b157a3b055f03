import { dirname, join, resolve } from 'node:path';
import { homeFolder } from './own-account';

/** A path as a configuration file means it: from its own folder, or from the home folder after `~/`. */
export function resolvePath(fromFile: string, written: string): string {
  if (written === '~') return homeFolder();
  if (written.startsWith('~/')) return join(homeFolder(), written.slice(2));
  return resolve(dirname(fromFile), written);
}
