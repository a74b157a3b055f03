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
function jsonSchemaOf(schema: z.ZodType): object {
  return z.toJSONSchema(schema, { io: 'input', target: 'draft-7' });
}
