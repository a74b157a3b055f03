import { statSync } from 'node:fs';
import { formatFault } from '../../config/fault';
import type { Logger } from '../../logging/logger';
import { loadWebSettings, type WebSettingsResult } from './load';
import type { ClientAuthType, WebSettings } from './settings';

/** Where the web settings come from, and which are in force. */
export interface SettingsSource {
  /** The settings in force, after a look at whether a file has changed. */
  current(): WebSettings;
}

/** What a settings file needs of the world. */
export interface SettingsFileEffects {
  readonly log: Logger;
  nowMs(): number;
  monotonicMs(): number;
  /** Told of each attempt to take the file, the first among them: whether it came into force. */
  onLoad?(success: boolean): void;
}

/** For how long a change that takes protection away must have stood still, in milliseconds. */
const settleMs = 2000;

/**
 * A web configuration file that is read again when it or a file that it names has changed. `current` is called at
 * every connection and request and only asks the system for the files' times then, which takes microseconds. A file
 * that can't be used is logged once, and what was in force stays.
 */
export class SettingsFile implements SettingsSource {
  private settings: WebSettings;
  private files: readonly string[];
  private stamp: string;
  private weakening: { readonly stamp: string; readonly sinceMs: number } | null = null;

  /** `first` is what was read at the start, without faults. */
  constructor(
    private readonly path: string,
    first: WebSettingsResult & { readonly settings: WebSettings },
    private readonly effects: SettingsFileEffects,
  ) {
    this.settings = first.settings;
    this.files = first.files;
    effects.onLoad?.(true);
    // It may have changed since it was read: the first look reads it once more.
    this.stamp = '';
  }

  current(): WebSettings {
    const stamp = stampOf(this.files);
    if (stamp !== this.stamp) this.readAgain(stamp);
    return this.settings;
  }

  private readAgain(stamp: string): void {
    const isFirst = this.stamp === '';
    const result = loadWebSettings(this.path, this.effects.nowMs());
    const problem =
      result.settings === null
        ? result.faults.map(formatFault).join('; ')
        : changeFault(this.settings, result.settings);
    // An editor or a copy empties a file before it fills it: what is read in between would open the door.
    if (
      problem === null &&
      result.settings !== null &&
      isWeaker(this.settings, result.settings) &&
      !this.hasSettled(stamp)
    )
      return;
    this.weakening = null;
    // Files that only the new text names are watched from now on, as it may be they that are at fault.
    this.files = result.files;
    this.stamp = stampOf(result.files);
    this.effects.onLoad?.(problem === null);
    if (problem !== null || result.settings === null) {
      this.effects.log.error('The web configuration could not be loaded; the old one stays in force', {
        error: problem,
      });
      return;
    }
    this.settings = result.settings;
    for (const warning of result.warnings)
      this.effects.log.warn('The web configuration has a weak point', { at: formatFault(warning) });
    if (!isFirst) this.effects.log.info('Loaded the web configuration', { file: this.path });
  }

  private hasSettled(stamp: string): boolean {
    const nowMs = this.effects.monotonicMs();
    if (this.weakening?.stamp !== stamp) this.weakening = { stamp, sinceMs: nowMs };
    return nowMs - this.weakening.sinceMs >= settleMs;
  }
}

/** What can't be changed while connections are taken; null when nothing of it did. */
function changeFault(before: WebSettings, after: WebSettings): string | null {
  if ((before.tls === null) === (after.tls === null)) return null;
  return 'whether TLS is spoken can only change when the exporter is started again';
}

const authStrength: Readonly<Record<ClientAuthType, number>> = {
  NoClientCert: 0,
  RequestClientCert: 0,
  VerifyClientCertIfGiven: 1,
  RequireAnyClientCert: 1,
  RequireAndVerifyClientCert: 2,
};

function isWeaker(before: WebSettings, after: WebSettings): boolean {
  if (before.users.size > 0 && after.users.size === 0) return true;
  if (before.tls === null || after.tls === null) return false;
  if (before.tls.clientAllowedSans !== null && after.tls.clientAllowedSans === null) return true;
  return authStrength[after.tls.clientAuth] < authStrength[before.tls.clientAuth];
}

/** Changes whenever a file is written, exchanged, or comes and goes. */
function stampOf(files: readonly string[]): string {
  return files.map(stampOfFile).join('|');
}

function stampOfFile(path: string): string {
  try {
    const { ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
    return `${ino},${size},${mtimeNs},${ctimeNs}`;
  } catch {
    return 'none';
  }
}
