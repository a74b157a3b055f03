import { openFilesLimit, shareOpenFiles } from './open-files';

const head = 'Limit                     Soft Limit           Hard Limit           Units     \n';

describe('openFilesLimit', () => {
  it('is the soft limit', () => {
    const text = `${head}Max open files            1024                 524288               files     \n`;
    expect(openFilesLimit(() => text)).toBe(1024);
  });

  it('is none where the system tells none', () => {
    const text = `${head}Max open files            unlimited            unlimited            files     \n`;
    expect(openFilesLimit(() => text)).toBe(Infinity);
    expect(openFilesLimit(() => '')).toBe(Infinity);
  });

  it('is that of this process', () => {
    expect(openFilesLimit()).toBeGreaterThan(8);
  });
});

describe('shareOpenFiles', () => {
  it.each([
    [64, { web: 16, probes: 8, kept: 8 }],
    [72, { web: 18, probes: 11, kept: 11 }],
    [1024, { web: 256, probes: 368, kept: 368 }],
    [65_536, { web: 16_384, probes: 24_560, kept: 24_560 }],
    [Infinity, { web: Infinity, probes: Infinity, kept: Infinity }],
  ])('of %d files', (limit, shares) => {
    expect(shareOpenFiles(limit)).toEqual(shares);
  });

  it('gives each at least as much as it can not do without', () => {
    expect(shareOpenFiles(20)).toEqual({ web: 16, probes: 4, kept: 0 });
  });

  it('shares out no more than there is', () => {
    for (let limit = 64; limit < 5000; limit += 7) {
      const { web, probes, kept } = shareOpenFiles(limit);
      expect(web + probes + kept).toBeLessThanOrEqual(limit - 32);
    }
  });
});
