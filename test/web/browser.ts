import { existsSync } from 'node:fs';
import { chromium, type Browser, type BrowserContext, type BrowserContextOptions } from 'playwright-core';

/** The browser of the tests: Debian's, or another one that CHROMIUM_PATH names. */
const executablePath = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium';

/**
 * A block of tests that needs Chromium. Where there is none the block is skipped, and a line says how to get it. In CI
 * (`CI=true`) nothing is skipped: what is missing fails the run.
 */
export function describeInBrowser(name: string, tests: () => void): void {
  if (existsSync(executablePath)) {
    describe(name, tests);
    return;
  }
  const missing = `missing Chromium at ${executablePath}: apt-get install -y chromium, or set CHROMIUM_PATH`;
  if (process.env['CI'] === 'true') throw new Error(missing);
  process.stderr.write(`skipped "${name}": ${missing}\n`);
  describe.skip(name, tests);
}

/** Starts the browser. `hosts` are names that lead to this machine, for origins that are neither HTTPS nor loopback. */
export function launchBrowser(hosts: readonly string[] = []): Promise<Browser> {
  const rules = hosts.map((host) => `MAP ${host} 127.0.0.1`).join(',');
  return chromium.launch({
    executablePath,
    args: [
      ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
      ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
      ...(rules === '' ? [] : [`--host-resolver-rules=${rules}`]),
    ],
  });
}

/** A window that writes down everything that should not happen in it. */
export interface WatchedContext {
  readonly context: BrowserContext;
  /** Dialogs, errors, messages on the console, and requests to anywhere but the page's own origin. */
  readonly incidents: string[];
}

export async function openContext(
  browser: Browser,
  origin: string,
  options: BrowserContextOptions = {},
): Promise<WatchedContext> {
  const context = await browser.newContext(options);
  const incidents: string[] = [];
  context.on('console', (message) => void incidents.push(`console: ${message.text()}`));
  context.on('weberror', (error) => void incidents.push(`error: ${error.error().message}`));
  context.on('dialog', (dialog) => {
    incidents.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  context.on('request', (request) => {
    if (!request.url().startsWith(`${origin}/`)) incidents.push(`request: ${request.url()}`);
  });
  return { context, incidents };
}
