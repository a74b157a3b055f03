import { escapeHtml, markup } from './markup';

describe('markup', () => {
  it('escapes what is put in and keeps what it made itself', () => {
    const inner = markup`<b>${'<script>'}</b>`;
    expect(markup`<p title="${'"><x'}">${inner}${['a&', inner]}</p>`.text).toBe(
      '<p title="&quot;&gt;&lt;x"><b>&lt;script&gt;</b>a&amp;<b>&lt;script&gt;</b></p>',
    );
  });

  it('shows numbers, and nothing for null, undefined and false', () => {
    expect(markup`[${0}${null}${undefined}${false}]`.text).toBe('[0]');
  });
});

describe('escapeHtml', () => {
  it('leaves no character with which markup could begin or an attribute end', () => {
    for (let code = 0; code < 0x3000; code++) {
      const escaped = escapeHtml(String.fromCharCode(code));
      expect(escaped).not.toMatch(/[<>"']/);
      if (escaped.includes('&')) expect(escaped).toMatch(/^&(amp|lt|gt|quot|#39);$/);
    }
  });

  it('makes visible what would hide or turn text around', () => {
    expect(escapeHtml('a\u202eb\u0000c\u200bd\ud800e')).toBe('a\\u{202e}b\\u{0}c\\u{200b}d\\u{d800}e');
    expect(escapeHtml('lines\nand\ttabs, ü, 漢, 😀')).toBe('lines\nand\ttabs, ü, 漢, 😀');
  });
});
