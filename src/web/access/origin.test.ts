import { isForeign } from './origin';

const browser = { host: 'exporter:10066', 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) Chrome/140' };

describe('isForeign', () => {
  it('lets programs in, which send none of the headers of browsers', () => {
    expect(isForeign({ host: 'exporter:10066' })).toBe(false);
    expect(isForeign({ host: 'exporter:10066', 'user-agent': 'curl/8.0' })).toBe(false);
    expect(isForeign({ host: 'exporter:10066', 'user-agent': 'Prometheus/3.5.0' })).toBe(false);
  });

  it.each([
    ['same-origin', false],
    ['none', false],
    ['same-site', true],
    ['cross-site', true],
    ['', true],
  ])('goes by Sec-Fetch-Site: %p', (site, foreign) => {
    expect(isForeign({ ...browser, 'sec-fetch-site': site, origin: 'http://exporter:10066' })).toBe(foreign);
  });

  it.each([
    ['http://exporter:10066', false],
    ['HTTPS://EXPORTER:10066', false],
    ['http://exporter', true],
    ['http://exporter:10067', true],
    ['http://evil.example', true],
    ['http://exporter:10066.evil.example', true],
    ['http://evil.example/exporter:10066', true],
    ['null', true],
    ['', true],
  ])('goes by Origin where the browser does not say the site: %p', (origin, foreign) => {
    expect(isForeign({ ...browser, origin })).toBe(foreign);
    expect(isForeign({ host: browser.host, origin })).toBe(foreign);
  });

  it('takes the name that a proxy in front was asked by for its own', () => {
    const headers = {
      ...browser,
      'x-forwarded-host': 'status.example.net, inner',
      origin: 'https://status.example.net',
    };
    expect(isForeign(headers)).toBe(false);
    expect(isForeign({ ...headers, origin: 'https://inner' })).toBe(true);
  });

  it('lets in who carries a token, which no page can send for its reader', () => {
    expect(isForeign({ ...browser, 'sec-fetch-site': 'cross-site', authorization: 'Bearer x' })).toBe(false);
    expect(isForeign({ ...browser, 'sec-fetch-site': 'cross-site', authorization: 'Basic eDp5' })).toBe(true);
  });

  it('counts a browser that says nothing as foreign: an image of another site may have set it off', () => {
    expect(isForeign(browser)).toBe(true);
  });
});
