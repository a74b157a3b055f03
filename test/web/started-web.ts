import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WebSettings } from '../../src/web/settings/settings';
import { secret } from '../secrets/seen';
import { mixedFleet, type BackendSketch } from './fleet-fixture';
import { startTestWeb, type Answer, type TestWeb } from './web-client';

/** What every browser calls itself. */
export const browser = { 'User-Agent': 'Mozilla/5.0 Chrome/140' };
const closers: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** A web side before a fleet in which everything happens; it ends with the test. */
export async function start(sketch: BackendSketch = {}, settings: Partial<WebSettings> = {}): Promise<TestWeb> {
  const web = await startTestWeb({ hosts: mixedFleet, ...sketch }, settings);
  closers.push(() => web.close());
  return web;
}

/** A web side whose probes are recorded, and end when they are told to. */
export async function startProbing(sketch: BackendSketch = {}, settings: Partial<WebSettings> = {}) {
  const probed: string[] = [];
  const endings: (() => void)[] = [];
  const names = mixedFleet.map(({ name }) => name);
  const probe = (host: string): Promise<void> | null => {
    if (!names.includes(host)) return null;
    probed.push(host);
    return new Promise((resolve) => endings.push(resolve));
  };
  const web = await start({ probe, ...sketch }, settings);
  const endAll = (): void => {
    for (const end of endings.splice(0)) end();
  };
  return { web, probed, endAll };
}

/** A file that holds a token. */
export function tokenFile(token: string): string {
  const file = join(mkdtempSync(join(tmpdir(), 'app-')), 'token');
  writeFileSync(file, `${secret(token)}\n`);
  return file;
}

/** The document that an answer is. */
export function jsonOf(answer: Answer): unknown {
  return JSON.parse(answer.body.toString());
}

/** Metrics that say in which form they were asked for. */
export const exposition: BackendSketch = {
  exposition: {
    render(format, compressed) {
      const pieces = [Buffer.from(`${format} `), Buffer.from(`${compressed}\n`)];
      return Promise.resolve({ pieces, bytes: pieces.reduce((sum, piece) => sum + piece.length, 0) });
    },
  },
};

/** Resolves as soon as something is true. */
export async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 5));
}
