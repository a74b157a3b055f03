import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { hashSync } from 'bcryptjs';
import type { WebSettings } from '../../src/web/settings/settings';
import { describeInBrowser, launchBrowser, openContext, type WatchedContext } from './browser';
import { mixedFleet, type BackendSketch, type HostSketch } from './fleet-fixture';
import { startTestWeb, type TestWeb } from './web-client';

describeInBrowser('the pages in Chromium', () => {
  let browser: Browser;
  const closers: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    browser = await launchBrowser();
  }, 60_000);
  afterAll(() => browser.close());
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });

  interface Opened extends WatchedContext {
    readonly web: TestWeb;
    readonly page: Page;
  }

  async function open(
    path: string,
    {
      sketch = {},
      settings = {},
      window = {},
    }: { sketch?: BackendSketch; settings?: Partial<WebSettings>; window?: object } = {},
  ): Promise<Opened> {
    const web = await startTestWeb({ hosts: mixedFleet, ...sketch }, settings);
    closers.push(() => web.close());
    const watched = await openContext(browser, web.url, window);
    closers.push(() => watched.context.close());
    const page = await watched.context.newPage();
    await page.goto(web.url + path);
    return { ...watched, web, page };
  }

  const evilTexts = [
    '<script>window.harmed = 1</script>',
    '"><img src=x onerror="window.harmed = 1">',
    "'><svg onload=window.harmed=1>",
    '</title></textarea></style><script>window.harmed=1</script>',
    'javascript:window.harmed=1',
    '{{constructor.constructor("window.harmed=1")()}}',
    '\u0000<script\u0000>window.harmed=1</script>',
    '<iframe srcdoc="<script>parent.harmed=1</script>">',
    '<a href="javascript:window.harmed=1">x</a><base href="//evil.example/"><form action="//evil.example">',
    '<meta http-equiv="refresh" content="0;url=//evil.example">',
    '\u202e<b>',
  ];

  it.each([
    '/',
    '/hosts/evil',
    '/?q=EVIL',
    '/?stack=EVIL',
    '/hosts/EVIL',
    '/?sort=EVIL&page=EVIL',
    '/hosts/evil?asked=EVIL',
    '/EVIL',
  ])('run no script that a host or a link brings: %s', async (path) => {
    const evil = evilTexts.join(' ');
    const host: HostSketch = {
      name: 'evil',
      stack: evil,
      labels: { team: evil },
      neededForDays: 40,
      exposure: 'exposed',
      packages: evilTexts,
      because: evil,
      failure: { reason: 'output', message: evil },
      ports: [{ proto: 'tcp', port: 443, family: 'ipv4', openTo: 'anywhere', because: evil, ignored: false }],
    };
    const { page, incidents } = await open(path.replaceAll('EVIL', encodeURIComponent(evil)), {
      sketch: { hosts: [host] },
    });
    await page.waitForTimeout(150);
    expect(await page.evaluate('window.harmed')).toBeUndefined();
    expect(
      await page.evaluate('document.querySelectorAll("script,iframe,svg,img,base,main b,main style").length'),
    ).toBe(0);
    expect(incidents.filter((incident) => !incident.includes('status of 404'))).toEqual([]);
  });

  it('would run none even if it were in the page: the policy forbids it', async () => {
    const { page, incidents } = await open('/');
    await page.evaluate(`document.body.insertAdjacentHTML('beforeend', '<img src=x onerror="window.harmed=1"><p style="color:red">x</p>');
      const script = document.createElement('script'); script.textContent = 'window.harmed=1'; document.body.append(script)`);
    await page.waitForTimeout(100);
    expect(await page.evaluate('window.harmed')).toBeUndefined();
    expect(incidents.filter((incident) => incident.includes('Content Security Policy')).length).toBeGreaterThanOrEqual(
      2,
    );
  });

  it('work without script: filter, sort, pages, one server, and back', async () => {
    const hosts = Array.from({ length: 250 }, (_, index): HostSketch => ({
      name: `web-${index}`,
      stack: index % 2 === 0 ? 'even' : 'odd',
      ...(index === 77 ? { neededForDays: 40, packages: ['libssl3'] } : {}),
    }));
    const { page, incidents } = await open('/', { sketch: { hosts }, window: { javaScriptEnabled: false } });
    const names = (): Promise<string[]> => page.locator('tbody th').allTextContents();
    expect(await page.locator('h1').textContent()).toBe('1 server needs a restart, 1 is overdue');
    expect((await names()).slice(0, 3)).toEqual(['web-77', 'web-0', 'web-1']);

    await page.getByLabel('Stack').selectOption('even');
    await page.getByRole('button', { name: 'Filter' }).click();
    expect(await page.locator('h1').textContent()).toBe('Nothing needs a restart');
    expect((await names()).slice(0, 3)).toEqual(['web-0', 'web-2', 'web-4']);
    await page.getByRole('link', { name: 'Server', exact: true }).click();
    await page.getByRole('link', { name: 'Server', exact: true }).click();
    expect((await names())[0]).toBe('web-248');
    await page.getByRole('link', { name: 'Next' }).click();
    expect((await names())[0]).toBe('web-48');
    expect(page.url()).toContain('stack=even');

    await page.getByRole('link', { name: 'Clear' }).click();
    await page.getByLabel('Search').fill('libssl3');
    await page.getByLabel('Search').press('Enter');
    expect(await names()).toEqual(['web-77']);
    await page.getByRole('link', { name: 'web-77' }).click();
    expect(await page.locator('h1').textContent()).toBe('web-77');
    await page.getByRole('link', { name: 'All servers' }).click();
    expect(await names()).toHaveLength(100);
    expect(incidents).toEqual([]);
  });

  describe('probe now', () => {
    it('probes and shows the outcome', async () => {
      const probed: string[] = [];
      const probe = (host: string): Promise<void> => (probed.push(host), Promise.resolve());
      const { page, incidents } = await open('/hosts/web-1', { sketch: { probe } });
      await page.getByRole('button', { name: 'Probe now' }).click();
      await page.waitForURL(/asked=\d+$/);
      expect(probed).toEqual(['web-1']);
      await page.reload();
      expect(probed).toEqual(['web-1']);
      expect(await page.getByRole('status').textContent()).toContain('Probing');
      expect(incidents).toEqual([]);
    });

    it('asks for the token where one is set up', async () => {
      const token = join(mkdtempSync(join(tmpdir(), 'pages-')), 'token');
      writeFileSync(token, 'let-me');
      const probed: string[] = [];
      const probe = (host: string): Promise<void> => (probed.push(host), Promise.resolve());
      const { page } = await open('/hosts/web-1', { sketch: { probe, refreshTokenFile: () => token } });
      await page.getByRole('button', { name: 'Probe now' }).click();
      expect(probed).toEqual([]);
      await page.getByLabel('Refresh token').fill('wrong');
      await page.getByRole('button', { name: 'Probe now' }).click();
      expect(await page.getByRole('alert').textContent()).toContain('that is not the refresh token');
      expect(probed).toEqual([]);
      await page.getByLabel('Refresh token').fill('let-me');
      await page.getByRole('button', { name: 'Probe now' }).click();
      await page.waitForURL(/asked=\d+$/);
      expect(probed).toEqual(['web-1']);
    });

    it('needs no token of who has logged in', async () => {
      const probed: string[] = [];
      const probe = (host: string): Promise<void> => (probed.push(host), Promise.resolve());
      const users = new Map([['alice', hashSync('right', 4)]]);
      const { page, incidents } = await open('/hosts/web-1', {
        sketch: { probe, refreshTokenFile: () => '/nowhere' },
        settings: { users },
        window: { httpCredentials: { username: 'alice', password: 'right' } },
      });
      await page.getByRole('button', { name: 'Probe now' }).click();
      await page.waitForURL(/asked=\d+$/);
      expect(probed).toEqual(['web-1']);
      expect(incidents).toEqual([]);
    });
  });

  describe.each(['light', 'dark'] as const)('in the %s theme', (colorScheme) => {
    it.each(['/', '/hosts/web-1', '/hosts/build-3', '/hosts/build-2'])('every text can be read: %s', async (path) => {
      const { page } = await open(path, { window: { colorScheme } });
      expect(await page.evaluate(poorContrasts)).toEqual([]);
      const ground = await page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
      expect(ground).toBe(colorScheme === 'dark' ? 'rgb(18, 21, 26)' : 'rgb(246, 247, 249)');
    });
  });

  it.each(['/', '/hosts/web-1', '/hosts/build-3', '/hosts/long'])('fit a phone: %s', async (path) => {
    const long: HostSketch = {
      name: 'long',
      stack: 's'.repeat(80),
      neededForDays: 1,
      packages: ['p'.repeat(300)],
      because: 'b'.repeat(2000),
      failure: { reason: 'output', message: 'm'.repeat(2000) },
    };
    for (const width of [320, 390]) {
      const { page } = await open(path, {
        sketch: { hosts: [...mixedFleet, long] },
        window: { viewport: { width, height: 800 }, isMobile: true, hasTouch: true },
      });
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
      const small = await page.evaluate<number>(
        '[...document.querySelectorAll("button,input:not([type=hidden]),select")].filter((one) => one.getBoundingClientRect().height < 44).length',
      );
      expect(small).toBe(0);
    }
  });

  it('tell a screen reader what everything is, also as cards on a phone', async () => {
    for (const width of [1280, 390]) {
      const { page } = await open('/', { window: { viewport: { width, height: 800 } } });
      expect(await page.getByRole('table', { name: 'Servers' }).count()).toBe(1);
      expect(await page.getByRole('rowheader').count()).toBe(12);
      expect(await page.getByRole('row', { name: 'web-1' }).first().getByRole('cell').count()).toBe(6);
      expect(await page.getByRole('main').count()).toBe(1);
      expect(await page.getByRole('heading', { level: 1 }).count()).toBe(1);
      expect(await page.getByRole('search').count()).toBe(1);
      const nameless = await page.evaluate<string[]>(
        '[...document.querySelectorAll("input:not([type=hidden]),select")].filter((one) => one.labels.length === 0).map((one) => one.name)',
      );
      expect(nameless).toEqual([]);
    }
  });

  it('can be reached by the keyboard, and show where one is', async () => {
    const { page } = await open('/');
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to the content');
    await page.keyboard.press('Enter');
    expect(page.url()).toMatch(/#main$/);
    for (let i = 0; i < 9; i++) await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.name')).toBe('q');
    expect(
      await page.evaluate('parseInt(getComputedStyle(document.activeElement).outlineWidth)'),
    ).toBeGreaterThanOrEqual(2);
  });

  it('need nothing from elsewhere', async () => {
    const { page, context, web, incidents } = await open('/');
    const fetched: string[] = [];
    context.on('response', (response) => void fetched.push(`${response.status()} ${new URL(response.url()).pathname}`));
    await page.goto(`${web.url}/hosts/web-1`);
    expect(fetched).toContain('200 /hosts/web-1');
    for (const one of fetched) expect(one).toMatch(/^200 \/(hosts\/web-1|style-[0-9a-f]{12}\.css|favicon\.svg)$/);
    expect(incidents).toEqual([]);
  });
});

/** Texts whose contrast is below 4.5 to 1, computed from what the browser shows: the function runs in the page. */
const poorContrasts = `(() => {
  const canvas = new OffscreenCanvas(1, 1).getContext('2d');
  const parse = (colour) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data]; };
  const luminance = (rgb) => rgb.slice(0, 3).map((part) => part / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
  const groundOf = (element) => { for (let one = element; one; one = one.parentElement) { const ground = parse(getComputedStyle(one).backgroundColor); if (ground[3] === 255) return ground; } return [255, 255, 255, 255]; };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const poor = new Set();
  let checked = 0;
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim();
    const element = walker.currentNode.parentElement;
    if (text === '' || !element.checkVisibility()) continue;
    checked++;
    const [a, b] = [luminance(parse(getComputedStyle(element).color)), luminance(groundOf(element))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) poor.add(text);
  }
  return checked > 20 ? [...poor] : ['only ' + checked + ' texts were found'];
})()`;
