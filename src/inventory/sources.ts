import { z } from 'zod';
import { ansible } from './ansible/source';
import { fileSd } from './file-sd';
import { httpSd } from './http-sd';
import type { OpenSource } from './source';

/** Every kind of source that `inventory:` can name. A new one is a file beside these and a line here. */
const kinds: Readonly<Record<string, z.ZodType<OpenSource>>> = {
  file_sd: fileSd,
  http_sd: httpSd,
  ansible,
};

const names = Object.keys(kinds);

/** One entry of `inventory:`, a mapping whose single key is the kind of source. */
export const sourceSchema = z
  .strictObject(Object.fromEntries(Object.entries(kinds).map(([name, kind]) => [name, kind.optional()])))
  .refine((entry) => Object.keys(entry).length === 1, {
    error: `must name one source: ${names.map((name) => `\`${name}\``).join(', ')}`,
    // An unknown key says more.
    when: ({ issues }) => issues.length === 0,
  })
  .meta({ id: 'source', description: 'One source of hosts.', minProperties: 1, maxProperties: 1 });

/** The kind of source that an entry names, and how to make it. */
export function namedSource(
  entry: z.output<typeof sourceSchema>,
): { readonly name: string; readonly open: OpenSource } | null {
  for (const [name, open] of Object.entries(entry)) {
    if (open !== undefined) return { name, open };
  }
  return null;
}
