import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { openSettings, type WebSettings } from '../../src/web/settings/settings';
import { startWebSide } from '../../src/web/web-side';
import { seen } from '../secrets/seen';
import { sketchBackend, type BackendSketch } from './fleet-fixture';

/** An answer as it came over the wire. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface AskOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A web side that listens on loopback, and a client for it. */
export interface TestWeb {
  readonly url: string;
  readonly port: number;
  /** How many requests have arrived: the settings are looked at once for each. */
  requests(): number;
  /** Sends exactly what it is told, where fetch would add headers and follow redirects. */
  ask(path: string, options?: AskOptions): Promise<Answer>;
  close(): Promise<void>;
}

/** Starts the web side before a fleet that stands still. */
export async function startTestWeb(sketch: BackendSketch = {}, settings: Partial<WebSettings> = {}): Promise<TestWeb> {
  const inForce = { ...openSettings, ...settings };
  let looks = 0;
  const source = {
    current: () => {
      looks++;
      return inForce;
    },
  };
  const web = await startWebSide([{ host: '127.0.0.1', port: 0 }], sketchBackend(sketch), source);
  const looksAtStart = looks;
  const url = web.urls[0] ?? '';
  return {
    url,
    port: Number(new URL(url).port),
    requests: () => looks - looksAtStart,
    ask: (path, options) => ask(url + path, options),
    close: () => web.close(0),
  };
}

function ask(url: string, { method = 'GET', headers = {}, body }: AskOptions = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(url, { method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const body = Buffer.concat(chunks);
        seen(
          `answer to ${method} ${url.replace(/:\d+/, '')}`,
          `${JSON.stringify(response.headers)}\n${body.toString()}`,
        );
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
      });
      response.on('error', reject);
    });
    sent.on('error', reject).end(body);
  });
}
