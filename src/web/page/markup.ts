/** Markup that is safe to send: made by `markup`, which escapes whatever is put into it. */
export class Html {
  constructor(readonly text: string) {}
}

/** What may stand in a template. Nothing is shown for null, undefined and false. */
export type Content = string | number | Html | null | undefined | false | readonly Content[];

/** A template whose insertions are escaped, for text as for attributes in double quotes; the only way to make `Html`. */
export function markup(strings: TemplateStringsArray, ...contents: readonly Content[]): Html {
  let text = strings[0] ?? '';
  contents.forEach((content, index) => {
    text += textOf(content) + (strings[index + 1] ?? '');
  });
  return new Html(text);
}

function textOf(content: Content): string {
  if (content instanceof Html) return content.text;
  if (Array.isArray(content)) return content.map(textOf).join('');
  if (content === null || content === undefined || content === false) return '';
  return escapeHtml(String(content));
}

/**
 * Escapes text for elements and quoted attributes, and makes visible what would not be seen or would turn the text
 * around it: controls, and the characters that steer bidirectional text (https://trojansource.codes).
 */
export function escapeHtml(text: string): string {
  return text.replace(special, (character) => entities[character] ?? visible(character));
}

const special =
  /[&<>"']|[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]/gu;

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function visible(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}
