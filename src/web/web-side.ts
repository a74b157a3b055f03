import { resolve } from 'node:path';
import { formatFault, type Fault } from '../config/fault';
import type { Logger } from '../logging/logger';
import type { Time } from '../time/time';
import { createPasswordWorker } from './access/password-worker';
import { createApp } from './app';
import type { WebBackend } from './backend';
import { listen, type ListenAddress, type WebServer } from './server';
import { loadWebSettings } from './settings/load';
import { openSettings } from './settings/settings';
import { SettingsFile, type SettingsFileEffects, type SettingsSource } from './settings/settings-file';

/** The HTTP side of a running exporter. */
export interface WebSide {
  /** Where it listens, for people. */
  readonly urls: readonly string[];
  /** Takes no new connection, lets requests under way end for `boundMs`. */
  close(boundMs: number): Promise<void>;
}

/** Settings that can be used, or what is wrong with their file. */
export type WebSettingsOpened =
  | { readonly source: SettingsSource; readonly faults: null }
  | { readonly source: null; readonly faults: readonly Fault[] };

export interface WebSideEffects extends Pick<SettingsFileEffects, 'onLoad'> {
  readonly log: Logger;
  readonly time: Time;
}

/** Reads a web configuration file, in the exporter-toolkit's format; without one everything is open. */
export function openWebSettings(file: string | null, { log, time, onLoad }: WebSideEffects): WebSettingsOpened {
  if (file === null) return { source: { current: () => openSettings }, faults: null };
  const path = resolve(file);
  const result = loadWebSettings(path, time.nowMs());
  const { settings } = result;
  if (settings === null) return { source: null, faults: result.faults };
  for (const warning of result.warnings)
    log.warn('The web configuration has a weak point', { at: formatFault(warning) });
  const effects = {
    log,
    nowMs: () => time.nowMs(),
    monotonicMs: () => time.monotonicMs(),
    ...(onLoad === undefined ? {} : { onLoad }),
  };
  return { source: new SettingsFile(path, { ...result, settings }, effects), faults: null };
}

/** Listens on every address, or on none: rejects with the system's error of the first that can't be had. */
export async function startWebSide(
  addresses: readonly ListenAddress[],
  backend: WebBackend,
  settings: SettingsSource,
): Promise<WebSide> {
  const passwords = createPasswordWorker();
  const app = createApp({ backend, settings, passwords });
  const results = await Promise.allSettled(
    addresses.map((address) => listen(address, app, { settings, log: backend.log })),
  );
  const servers = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const close = async (boundMs: number): Promise<void> => {
    await Promise.all(servers.map((server: WebServer) => server.close(boundMs)));
    await passwords.close();
  };
  const failed = results.find((result) => result.status === 'rejected');
  if (failed === undefined) return { urls: servers.map(({ url }) => url), close };
  await close(0);
  throw failed.reason;
}
