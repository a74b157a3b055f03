import { createHash } from 'node:crypto';
import { z } from 'zod';
import { formatDuration } from '../config/duration';
import { faultAt } from '../config/fault';
import { readJsonText } from '../config/json-text';
import { resolvePath } from '../config/path-text';
import { right, wrong, type Reading } from '../config/reading';
import { checked, duration, line, path } from '../config/schema-fields';
import { Secret } from '../config/secret';
import { decodeText, errorCode, maxTextBytes, readTextFile } from '../config/text-file';
import {
  noHosts,
  type InventoryAnswer,
  type InventorySource,
  type KeptAnswer,
  type OpenSource,
  type SourceContext,
} from './source';
import { readTargetGroups, targetPortSchema } from './target-groups';

/** The refresh interval that Prometheus has for http_sd. */
const defaultRefreshSeconds = 60;
const longestTimerSeconds = 24 * 86_400;
const requestTimeoutMs = 10_000;

const settingsSchema = z
  .strictObject({
    url: checked(z.string(), readUrl).meta({ description: 'What to ask for target groups, by http or https.' }),
    refresh_interval: duration({ min: 1, max: longestTimerSeconds })
      .optional()
      .meta({ description: 'How often to ask. Default: 1m.' }),
    basic_auth: z
      .strictObject({
        username: line(256).meta({ description: 'The user name.' }),
        password_file: path().meta({ description: 'A file with the password. Relative to this file.' }),
      })
      .optional()
      .meta({ description: 'HTTP basic authentication.' }),
    authorization: z
      .strictObject({
        type: line(64).optional().meta({ description: 'The scheme. Default: Bearer.' }),
        credentials_file: path().meta({ description: 'A file with the credentials. Relative to this file.' }),
      })
      .optional()
      .meta({ description: 'An Authorization header.' }),
    target_port: targetPortSchema,
  })
  .refine((settings) => settings.basic_auth === undefined || settings.authorization === undefined, {
    error: 'give either `basic_auth` or `authorization`, not both',
  });

type Settings = z.output<typeof settingsSchema>;

/** Prometheus' http_sd: https://prometheus.io/docs/prometheus/latest/http_sd/ */
export const httpSd = settingsSchema
  .transform((settings): OpenSource => {
    const refreshSeconds = settings.refresh_interval ?? defaultRefreshSeconds;
    return (context) => ({
      files: [],
      local: false,
      refreshSeconds,
      secretFiles: secretFilesOf(settings),
      load: () => load(settings, refreshSeconds, context),
    });
  })
  .meta({
    description:
      "A service that answers in Prometheus' http_sd format. While it fails, its last good answer stays in force.",
  });

function secretFilesOf({ basic_auth: basic, authorization }: Settings): InventorySource['secretFiles'] {
  if (basic !== undefined) return [{ path: ['basic_auth', 'password_file'], written: basic.password_file }];
  if (authorization !== undefined)
    return [{ path: ['authorization', 'credentials_file'], written: authorization.credentials_file }];
  return [];
}

async function load(settings: Settings, refreshSeconds: number, context: SourceContext): Promise<InventoryAnswer> {
  const key = `http_sd ${context.file} ${JSON.stringify(settings)}`;
  const kept = context.memory.answers.get(key) ?? null;
  const ageMs = kept === null ? Infinity : context.nowMs() - kept.atMs;
  // A little early is not early: the timer that asks again was set for this moment.
  if (kept !== null && ageMs >= 0 && ageMs < refreshSeconds * 900) return kept.answer;
  const fetched = await fetchAnswer(settings, context, kept);
  if (fetched.ok) {
    context.memory.answers.set(key, fetched.value);
    return fetched.value.answer;
  }
  const instead =
    kept === null
      ? 'none of its hosts is known'
      : `its answer of ${formatDuration(Math.floor(ageMs / 1000))} ago stays in force`;
  const message = `${shownUrl(settings.url)}: ${fetched.message}; ${instead}`;
  const known = kept?.answer ?? noHosts;
  return { ...known, warnings: [...known.warnings, faultAt(context.file, context.placeOf(['url']), message)] };
}

async function fetchAnswer(
  settings: Settings,
  context: SourceContext,
  kept: KeptAnswer | null,
): Promise<Reading<KeptAnswer>> {
  const body = await request(settings, context.file);
  if (!body.ok) return body;
  // Ten thousand hosts take a fifth of a second to read, every minute, and hardly ever differ.
  const signature = createHash('sha256').update(body.value).digest('hex');
  const atMs = context.nowMs();
  if (kept?.signature === signature) return right({ ...kept, atMs });
  const answer = readBody(settings, body.value);
  return answer.ok ? right({ answer: answer.value, atMs, signature }) : answer;
}

function readBody(settings: Settings, body: string): Reading<InventoryAnswer> {
  const { text, faults } = readJsonText(shownUrl(settings.url), body);
  const answer = text === null ? { ...noHosts, faults } : readTargetGroups(text, settings.target_port ?? 'ssh', true);
  const [first] = answer.faults;
  if (first === undefined) return right(answer);
  const others = answer.faults.length > 1 ? `, and ${answer.faults.length - 1} more` : '';
  return wrong(`the answer is not good: ${first.line}:${first.col}: ${first.message}${others}`);
}

async function request(settings: Settings, file: string): Promise<Reading<string>> {
  const header = authorizationHeader(settings, file);
  if (!header.ok) return header;
  try {
    const response = await fetch(settings.url, {
      headers: {
        accept: 'application/json',
        ...(header.value === null ? {} : { authorization: header.value.reveal() }),
      },
      signal: AbortSignal.timeout(requestTimeoutMs),
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      return wrong(`answered with status ${response.status}`);
    }
    // Prometheus asks for this type as well; a login page with status 200 is the usual other answer.
    const type = (response.headers.get('content-type') ?? 'none').split(';', 1)[0]?.trim().toLowerCase();
    if (type !== 'application/json') {
      await response.body?.cancel();
      return wrong(`answered with content type ${type}, not application/json`);
    }
    return await readBounded(response);
  } catch (error) {
    return wrong(describeRequestError(error));
  }
}

async function readBounded(response: Response): Promise<Reading<string>> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  if (response.body === null) return wrong('answered without a body');
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    sizeBytes += chunk.length;
    if (sizeBytes > maxTextBytes) return wrong(`answered with more than ${maxTextBytes} bytes`);
    chunks.push(chunk);
  }
  const text = decodeText(Buffer.concat(chunks));
  return text.ok ? text : wrong(`the answer ${text.message}`);
}

/** Bytes that a header can carry, RFC 9110, 5.5: of others fetch says which it was, and all that it was given. */
const headerText = /^[\t\x20-\x7e\x80-\xff]*$/;

function authorizationHeader({ basic_auth: basic, authorization }: Settings, file: string): Reading<Secret | null> {
  const secretFile = basic?.password_file ?? authorization?.credentials_file;
  if (secretFile === undefined) return right(null);
  const secret = readTextFile(resolvePath(file, secretFile));
  if (!secret.ok) return wrong(`${secretFile} ${secret.message}`);
  const value = secret.value.trim();
  if (basic !== undefined)
    return right(new Secret(`Basic ${Buffer.from(`${basic.username}:${value}`).toString('base64')}`));
  if (!headerText.test(value))
    return wrong(`${secretFile} must hold the credentials on one line, in letters that a header can carry`);
  return right(new Secret(`${authorization?.type ?? 'Bearer'} ${value}`));
}

function readUrl(text: string): Reading<string> {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:'))
    return wrong(`\`${text}\` is no http or https URL`);
  if (url.username !== '' || url.password !== '')
    return wrong('a URL must not hold a password: use `basic_auth` with a `password_file`');
  return right(text);
}

/** Without its query, where some services take a token. */
function shownUrl(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}

function describeRequestError(error: unknown): string {
  const { name, message, cause } = error as { name?: unknown; message?: unknown; cause?: unknown };
  if (name === 'TimeoutError') return `gave no whole answer within ${requestTimeoutMs / 1000} s`;
  // fetch wraps the reason: `TypeError: fetch failed` with the cause that tells.
  const code = errorCode(cause) ?? errorCode(error);
  const known = code === null ? undefined : requestErrors.get(code);
  return known ?? `can't be asked: ${code ?? String((cause as { message?: unknown } | undefined)?.message ?? message)}`;
}

const requestErrors: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'refuses connections'],
  ['ECONNRESET', 'closed the connection'],
  ['ENOTFOUND', 'its name is not known to DNS'],
  ['EAI_AGAIN', 'DNS does not answer for its name'],
  ['UND_ERR_SOCKET', 'closed the connection'],
]);
