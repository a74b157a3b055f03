import type { Request, Response } from 'express';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { acceptsGzip } from '../metrics/negotiation';

const gzipAsync = promisify(gzip);

/** Below this size, in bytes, an answer fits in one packet and gzip gains nothing. */
const worthCompressing = 1400;

/** Sends a page, compressed off the event loop where the client takes that. */
export async function sendPage(request: Request, response: Response, page: string, status = 200): Promise<void> {
  let body = Buffer.from(page);
  response
    .status(status)
    .set({ 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-store', Vary: 'Accept-Encoding' });
  if (body.length >= worthCompressing && acceptsGzip(request.get('accept-encoding'))) {
    body = await gzipAsync(body, { level: 1 });
    response.set('Content-Encoding', 'gzip');
  }
  response.set('Content-Length', String(body.length)).end(body);
}

/** Sends a line or two for people. */
export function sendText(response: Response, status: number, text: string): void {
  response.status(status).set('Cache-Control', 'no-store').type('text').send(text);
}

/** Sends a document for programs. */
export function sendJson(response: Response, status: number, document: unknown): void {
  response.status(status).set('Cache-Control', 'no-store').json(document);
}

/** A parameter that was given once, as text. */
export function parameter(request: Request, name: string): string | undefined {
  const value = request.query[name];
  return typeof value === 'string' ? value : undefined;
}

/** What is wrong with the parameters of a request that takes only these, each once; null: nothing. */
export function parametersFault(request: Request, known: readonly string[]): string | null {
  for (const [name, value] of Object.entries(request.query)) {
    if (!known.includes(name))
      return `${JSON.stringify(name)} is not a parameter here; there are ${known.join(' and ')}`;
    if (typeof value !== 'string') return `${JSON.stringify(name)} is to be given once`;
  }
  return null;
}

/** A part of the path that the route names. */
export function pathPart(request: Request, name: string): string {
  const value = request.params[name];
  return typeof value === 'string' ? value : '';
}
