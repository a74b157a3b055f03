import { palettes, stylesheet, stylesheetName } from './stylesheet';

/** Relative luminance and contrast by WCAG 2.2. */
function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [light = 0, dark = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

it('knows the contrast of black and white', () => {
  expect(contrast('#000000', '#ffffff')).toBeCloseTo(21);
});

describe.each(Object.entries(palettes))('%s', (_, palette) => {
  const grounds = ['ground', 'sheet'] as const;
  const pairs: [string, string, string][] = [
    ...(['text', 'muted', 'link'] as const).flatMap((ink) =>
      grounds.map((ground): [string, string, string] => [`${ink} on ${ground}`, palette[ink], palette[ground]]),
    ),
    ...(['critical', 'warning', 'info', 'unknown', 'none'] as const).flatMap((name): [string, string, string][] => [
      [`${name} on its own ground`, palette[name], palette[`${name}-ground`]],
      [`text on the ground of ${name}`, palette.text, palette[`${name}-ground`]],
      [`muted on the ground of ${name}`, palette.muted, palette[`${name}-ground`]],
    ]),
    ['text of the main button', palette.sheet, palette.link],
  ];
  it.each(pairs)('%s can be read', (_name, ink, ground) => {
    expect(contrast(ink, ground)).toBeGreaterThanOrEqual(4.5);
  });
});

it('needs nothing from elsewhere, and is named by its content', () => {
  expect(stylesheet).not.toMatch(/url\(|@import|https?:/);
  expect(stylesheet).not.toContain('undefined');
  expect(stylesheetName).toMatch(/^style-[0-9a-f]{12}\.css$/);
});
