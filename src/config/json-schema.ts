import { z } from 'zod';
import { configSchema, fragmentSchema } from './schema';

/** The schemas that are published for editors, by file name. */
const published = {
  'reboot-exporter.schema.json': configSchema,
  'reboot-exporter.fragment.schema.json': fragmentSchema,
} as const;

/** The JSON Schemas of the configuration and of included files, as files to write: name and text. */
export function jsonSchemaFiles(): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(published).map(([name, schema]) => [name, `${JSON.stringify(jsonSchemaOf(schema), null, 2)}\n`]),
  );
}

/** Draft 7 is what YAML language servers understand in full. */
function jsonSchemaOf(schema: z.ZodType): unknown {
  return plain(z.toJSONSchema(schema, { io: 'input', target: 'draft-7' }));
}

/** A lone reference comes wrapped in `allOf`, under which some editors lose its description. */
function plain(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(plain);
  if (typeof node !== 'object' || node === null) return node;
  const entries = Object.entries(node).map(([key, value]): [string, unknown] => [key, plain(value)]);
  const [first] = entries;
  if (entries.length === 1 && first?.[0] === 'allOf' && Array.isArray(first[1]) && first[1].length === 1)
    return first[1][0];
  return Object.fromEntries(entries);
}
