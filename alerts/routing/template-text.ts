/** The templates of messages by name, each with its `define`, as they are in `templates/*.tmpl`. */
export type TemplateTexts = ReadonlyMap<string, string>;

const start = /^\{\{ define "([^"]+)"/gm;

/**
 * Splits the text of template files into its definitions. Relies on how the
 * files are written: a definition begins a line, and ends with the last
 * `{{ end }}` before the next comment or definition.
 */
export function splitTemplates(text: string): TemplateTexts {
  const withoutComments = text.replace(/\{\{\/\*[^]*?\*\/\}\}/g, '');
  const starts = [...withoutComments.matchAll(start)];
  return new Map(
    starts.map((match, index) => {
      const name = match[1] ?? '';
      return [name, withoutComments.slice(match.index, starts[index + 1]?.index).trim()];
    }),
  );
}

/**
 * A text that defines what it uses and then uses it: for the operator's
 * AlertmanagerConfig, which can't bring template files along.
 *
 * @throws Error when a template that is used is not defined.
 */
export function selfContained(templates: TemplateTexts, name: string): string {
  const used = [...closure(templates, name)];
  return [...used.map((each) => templates.get(each)), `{{ template "${name}" . }}`].join('');
}

function closure(templates: TemplateTexts, name: string, found = new Set<string>()): ReadonlySet<string> {
  const text = templates.get(name);
  if (text === undefined) {
    throw new Error(`no message template is called ${name}`);
  }
  found.add(name);
  for (const [, used] of text.matchAll(/\{\{-? template "([^"]+)"/g)) {
    if (used !== undefined && !found.has(used)) {
      closure(templates, used, found);
    }
  }
  return found;
}
