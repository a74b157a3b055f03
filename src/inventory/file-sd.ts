import { extname } from 'node:path';
import { z } from 'zod';
import { faultAt, fileStart, type Fault } from '../config/fault';
import { expandPattern, isPattern } from '../config/file-pattern';
import { readJsonText } from '../config/json-text';
import { resolvePath } from '../config/path-text';
import { path } from '../config/schema-fields';
import { readYamlText } from '../config/yaml-text';
import type { PathStep } from '../config/yaml-value';
import { mergeAnswers, noHosts, type InventoryAnswer, type OpenSource, type SourceContext } from './source';
import { readTargetGroups, targetPortSchema, type TargetPort } from './target-groups';

const filesSchema = z.array(path()).min(1);

/** Prometheus' file_sd: https://prometheus.io/docs/prometheus/latest/configuration/configuration/#file_sd_config */
export const fileSd = z
  .union([
    filesSchema,
    z.strictObject({
      files: filesSchema.meta({
        description:
          'Paths to .json, .yml or .yaml; `*` in the last part stands for any characters. Relative to this file.',
      }),
      target_port: targetPortSchema,
    }),
  ])
  .transform((settings): OpenSource => {
    const isList = Array.isArray(settings);
    const written = isList ? settings : settings.files;
    const targetPort = isList ? 'ssh' : (settings.target_port ?? 'ssh');
    return (context) => {
      const patterns = written.map((one, i) => ({
        path: resolvePath(context.file, one),
        at: isList ? [i] : ['files', i],
      }));
      return {
        files: patterns.map((pattern) => pattern.path),
        local: true,
        refreshSeconds: null,
        secretFiles: [],
        load: () => Promise.resolve(mergeAnswers(patterns.map((pattern) => readPattern(context, pattern, targetPort)))),
      };
    };
  })
  .meta({
    description:
      "Files in Prometheus' own file_sd format, read again when they change: a list of paths, or a mapping with files.",
  });

interface Pattern {
  readonly path: string;
  /** Where the settings name it. */
  readonly at: readonly PathStep[];
}

function readPattern(context: SourceContext, pattern: Pattern, targetPort: TargetPort): InventoryAnswer {
  const here = (message: string): Fault =>
    faultAt(context.file, context.placeOf(pattern.at), `${pattern.path}: ${message}`);
  const expanded = expandPattern(pattern.path);
  if (!expanded.ok) return { ...noHosts, faults: [here(expanded.message)] };
  if (expanded.value.length === 0) return { ...noHosts, warnings: [here('there is no such file yet')] };
  return mergeAnswers(
    expanded.value.map((file) => {
      if (!/^\.(json|ya?ml)$/i.test(extname(file)))
        return { ...noHosts, faults: [here(`${file} must end in .json, .yml or .yaml`)] };
      const answer = context.memory.files.read(file, `file_sd ${targetPort}`, (source) =>
        readFile(file, source, targetPort),
      );
      if (answer.ok) return answer.value;
      // A file that a pattern found is told of where it is, one that was named where that was done.
      return {
        ...noHosts,
        faults: [isPattern(pattern.path) ? faultAt(file, fileStart, answer.message) : here(answer.message)],
      };
    }),
  );
}

function readFile(file: string, source: string, targetPort: TargetPort): InventoryAnswer {
  const { text, faults } =
    extname(file).toLowerCase() === '.json' ? readJsonText(file, source) : readYamlText(file, source, 'text');
  if (text === null) return { ...noHosts, faults };
  if (text.value === null || text.value === undefined) return noHosts;
  const answer = readTargetGroups(text, targetPort, false);
  return { ...answer, faults: [...faults, ...answer.faults] };
}
