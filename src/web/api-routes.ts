import { randomUUID } from 'node:crypto';
import type { Request, RequestHandler, Response } from 'express';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createGzip } from 'node:zlib';
import { acceptsGzip } from '../metrics/negotiation';
import { parameter, parametersFault, pathPart, sendJson } from './answer';
import type { WebBackend } from './backend';

/** Hosts that are written at once, before other work gets its turn. */
const hostsPerTurn = 100;
/** How long the whole list may take to be received, in milliseconds. */
const listBoundMs = 120_000;

/** Answers `GET /api/v1/hosts[?stack=]`; the list is made and sent piece by piece, as it may have many megabytes. */
export function hostsRoute(backend: WebBackend): RequestHandler {
  return async (request, response) => {
    const names = hostNames(backend, parameter(request, 'stack'));
    const compressed = acceptsGzip(request.get('accept-encoding'));
    response.set({
      'Content-Type': 'application/json; charset=utf-8',
      'Cache-Control': 'no-store',
      Vary: 'Accept-Encoding',
    });
    if (compressed) response.set('Content-Encoding', 'gzip');
    if (request.method === 'HEAD') {
      response.end();
      return;
    }
    const source = Readable.from(hostsAsJson(backend, names));
    const signal = AbortSignal.timeout(listBoundMs);
    const sending = compressed
      ? pipeline(source, createGzip({ level: 1 }), response, { signal })
      : pipeline(source, response, { signal });
    // The client went away, or was too slow: there is nobody to tell.
    await sending.catch(() => response.destroy());
  };
}

async function* hostsAsJson(backend: WebBackend, names: readonly string[]): AsyncGenerator<string> {
  yield '{"hosts":[';
  let separator = '';
  for (let begin = 0; begin < names.length; begin += hostsPerTurn) {
    const documents = names.slice(begin, begin + hostsPerTurn).flatMap((name) => backend.document(name) ?? []);
    if (documents.length > 0) yield separator + documents.map((document) => JSON.stringify(document)).join(',');
    if (documents.length > 0) separator = ',';
    await nextTurn();
  }
  yield ']}\n';
}

/** Answers `GET /api/v1/hosts/HOST`. */
export function hostRoute(backend: WebBackend): RequestHandler {
  return (request, response) => {
    const document = backend.document(pathPart(request, 'host'));
    if (document === null) notFound(response, pathPart(request, 'host'));
    else sendJson(response, 200, document);
  };
}

/** Answers `POST /api/v1/refresh[?stack=]`. A word that is written wrongly must not have the whole fleet probed. */
export function refreshRoute(backend: WebBackend): RequestHandler {
  return async (request, response) => {
    const fault = parametersFault(request, ['stack', 'wait']);
    if (fault !== null) {
      sendJson(response, 400, { error: fault });
      return;
    }
    const stack = parameter(request, 'stack');
    const hosts = hostNames(backend, stack);
    if (stack !== undefined && hosts.length === 0) {
      sendJson(response, 404, { error: `no host has the stack ${JSON.stringify(stack)}` });
      return;
    }
    await refresh(backend, hosts, request, response);
  };
}

/** Answers `POST /api/v1/hosts/HOST/refresh`. */
export function refreshHostRoute(backend: WebBackend): RequestHandler {
  return async (request, response) => {
    const host = pathPart(request, 'host');
    if (backend.document(host) === null) notFound(response, host);
    else await refresh(backend, [host], request, response);
  };
}

async function refresh(
  backend: WebBackend,
  hosts: readonly string[],
  request: Request,
  response: Response,
): Promise<void> {
  const probes = hosts.flatMap((host) => backend.probe(host, { exposure: true }) ?? []);
  const done = Promise.allSettled(probes);
  const id = randomUUID();
  if (parameter(request, 'wait') !== '1') {
    sendJson(response, 202, { id, hosts });
    return;
  }
  await done;
  sendJson(response, 200, { id, hosts: hosts.flatMap((host) => backend.document(host) ?? []) });
}

function hostNames(backend: WebBackend, stack: string | undefined): string[] {
  return backend
    .digests()
    .flatMap(({ status: { host } }) => (stack === undefined || host.stack === stack ? [host.name] : []));
}

function notFound(response: Response, host: string): void {
  sendJson(response, 404, { error: `${JSON.stringify(host)} is not a host of the inventory` });
}
