import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser } from 'playwright-core';
import { describeInBrowser, launchBrowser } from './browser';
import { mixedFleet } from './fleet-fixture';
import { startTestWeb, type TestWeb } from './web-client';

/**
 * Whether a page of another site can set anything off: with a real browser, over loopback, where it sends
 * Sec-Fetch-Site, and over plain HTTP to a name, where it does not.
 */
describeInBrowser('a page of another site', () => {
  let browser: Browser;
  let web: TestWeb;
  let evil: Server;
  let evilPort: number;
  let evilPage = '';
  const happened: string[] = [];

  beforeAll(async () => {
    browser = await launchBrowser(['exporter.test', 'evil.test']);
    const note = (what: string): Promise<null> => (happened.push(what), Promise.resolve(null));
    web = await startTestWeb({
      hosts: mixedFleet,
      probe: (host) => note(`probe ${host}`).then(() => undefined),
      reload: () => note('reload'),
    });
    evil = createServer((_request, response) => void response.setHeader('Content-Type', 'text/html').end(evilPage));
    await new Promise<void>((resolve) => evil.listen(0, '127.0.0.1', resolve));
    evilPort = (evil.address() as AddressInfo).port;
  }, 60_000);
  afterAll(async () => {
    await browser.close();
    await web.close();
    await new Promise((resolve) => evil.close(resolve));
  });
  beforeEach(() => void happened.splice(0));

  /** Loads a page of the other site, and waits until so many requests have arrived here: an attack that stays out proves nothing. */
  async function visit(site: string, page: string, requests: number): Promise<void> {
    evilPage = `<!doctype html><title>evil</title>${page}`;
    const context = await browser.newContext();
    const before = web.requests();
    const sent = (): number => web.requests() - before;
    const tab = await context.newPage();
    await tab.goto(`http://${site}:${evilPort}/`);
    const boundMs = performance.now() + 15_000;
    while (sent() < requests && performance.now() < boundMs) await tab.waitForTimeout(20);
    // What was sent last must have been answered.
    await tab.waitForTimeout(200);
    await context.close();
    expect(sent()).toBeGreaterThanOrEqual(requests);
  }

  const targets = ['/hosts/web-1/probe', '/api/v1/hosts/web-1/refresh', '/api/v1/refresh', '/-/reload'];
  const sites = [
    { name: 'another site, over loopback', exporter: 'localhost', site: '127.0.0.1' },
    { name: 'another port of the same host', exporter: '127.0.0.1', site: '127.0.0.1' },
    { name: 'another site, over plain HTTP to a name', exporter: 'exporter.test', site: 'evil.test' },
    { name: 'another port of the same name, over plain HTTP', exporter: 'exporter.test', site: 'exporter.test' },
  ];

  describe.each(sites)('$name', ({ exporter, site }) => {
    const at = (path: string): string => `http://${exporter}:${web.port}${path}`;

    /** A form for each target; each is sent, its answer going into a frame or in place of the page. */
    const forms = (into: (index: number) => string): string =>
      targets
        .map(
          (path, index) =>
            `<iframe name="f${index}"></iframe><form method="post" action="${at(path)}" target="${into(index)}"><input name="token" value=""></form>`,
        )
        .join('') + '<script>for (const form of document.forms) form.submit()</script>';

    it('can not post a form', async () => {
      await visit(
        site,
        forms((index) => `f${index}`),
        targets.length,
      );
      await visit(
        site,
        forms(() => '_top'),
        1,
      );
      expect(happened).toEqual([]);
    });

    it('can not post a form that hides where it comes from', async () => {
      const silent = '<meta name="referrer" content="no-referrer">';
      await visit(site, silent + forms((index) => `f${index}`), targets.length);
      const sandboxed = forms((index) => `f${index}`).replaceAll("'", '&#39;');
      await visit(site, `<iframe sandbox="allow-scripts allow-forms" srcdoc='${sandboxed}'></iframe>`, targets.length);
      expect(happened).toEqual([]);
    });

    it('can not fetch, with or without headers of its own', async () => {
      const urls = JSON.stringify([...targets.map(at), at('/probe?target=web-1')]);
      await visit(
        site,
        `<script>
          for (const url of ${urls}) for (const method of ['GET', 'POST', 'PUT']) {
            const go = (options) => fetch(url, { method, credentials: 'include', ...options }).catch(() => undefined);
            go({}); go({ mode: 'no-cors' });
            go({ headers: { 'Sec-Fetch-Site': 'same-origin', Origin: '${at('')}', 'X-Forwarded-Host': '${site}:${evilPort}', 'User-Agent': 'curl/8' } });
            go({ mode: 'no-cors', referrerPolicy: 'no-referrer', headers: { 'User-Agent': 'curl/8' } });
          }
          for (const url of ${urls}) navigator.sendBeacon(url, new Blob(['token='], { type: 'text/plain' }));
        </script>`,
        20,
      );
      expect(happened).toEqual([]);
    });

    it('can not probe by an image, a stylesheet, a script, a frame or a visit', async () => {
      const probe = at('/probe?target=web-1');
      await visit(
        site,
        `<meta name="referrer" content="no-referrer"><img src="${probe}"><link rel="stylesheet" href="${probe}"><script src="${probe}"></script>
         <iframe src="${probe}"></iframe><video src="${probe}"></video><object data="${probe}"></object><link rel="preload" as="fetch" href="${probe}">`,
        5,
      );
      await visit(site, `<script>location = ${JSON.stringify(probe)}</script>`, 1);
      await visit(site, `<meta http-equiv="refresh" content="0;url=${probe}">`, 1);
      expect(happened).toEqual([]);
    });

    it('can not show the pages in a frame of its own', async () => {
      evilPage = `<!doctype html><iframe src="${at('/hosts/web-1')}"></iframe>`;
      const tab = await browser.newPage();
      await tab.goto(`http://${site}:${evilPort}/`);
      await tab.waitForTimeout(500);
      const framed = await Promise.all(
        tab
          .frames()
          .slice(1)
          .map((frame) => frame.content()),
      );
      expect(framed.join('')).not.toContain('web-1');
      await tab.close();
    });

    it('while the reader of the pages can', async () => {
      const tab = await browser.newPage();
      await tab.goto(at('/hosts/web-1'));
      await tab.getByRole('button', { name: 'Probe now' }).click();
      await tab.waitForURL(/asked=/);
      await tab.close();
      expect(happened).toEqual(['probe web-1']);
    });
  });
});
