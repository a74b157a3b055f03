import type { Request, RequestHandler, Response } from 'express';
import type { HostDocument } from '../document/host-document';
import type { StackPolicy } from '../policy/policy';
import { windowState } from '../policy/window';
import type { Gate } from './access/gate';
import { parameter, pathPart, sendPage } from './answer';
import type { WebBackend } from './backend';
import { readFleetQuery } from './fleet-list/query';
import { selectHosts } from './fleet-list/selection';
import { renderFleetPage } from './page/fleet-page';
import { renderHostPage } from './page/host-page';
import { renderNotFoundPage } from './page/layout';
import type { WindowTimes } from './page/stack-words';
import { within } from './within';

/** Answers `GET /`: the fleet. Only the hosts of one page are looked at whole. */
export function fleetRoute(backend: WebBackend): RequestHandler {
  return async (request, response) => {
    const query = readFleetQuery(request.query);
    const selection = selectHosts(backend.digests(), query);
    const rows = selection.hosts.flatMap((digest) => {
      const document = backend.document(digest.status.host.name);
      return document === null ? [] : [{ digest, document }];
    });
    const nowMs = backend.nowMs();
    const stack =
      query.stack === null || !selection.stacks.includes(query.stack) ? null : stackOf(backend, query.stack, nowMs);
    await sendPage(request, response, renderFleetPage({ selection, rows, query, stack, nowMs }));
  };
}

/** Answers `GET /hosts/HOST`. */
export function hostPageRoute(backend: WebBackend, gate: Gate): RequestHandler {
  return async (request, response) => {
    const document = backend.document(pathPart(request, 'host'));
    if (document === null) return sendNoHost(request, response);
    const asked = parameter(request, 'asked') ?? '';
    await sendHostPage(backend, gate, request, response, document, {
      askedMs: /^[0-9]{1,15}$/.test(asked) ? Number(asked) : null,
      refusal: null,
    });
  };
}

/** How long "probe now" waits before it shows the page, in milliseconds: most probes end in this time. */
const formWaitsMs = 3000;

/** Answers `POST /hosts/HOST/probe`, the form of the host's page. */
export function probeFormRoute(backend: WebBackend, gate: Gate): RequestHandler {
  return async (request, response) => {
    const host = pathPart(request, 'host');
    const document = backend.document(host);
    if (document === null) return sendNoHost(request, response, '../../');
    if (gate.needsToken() && !(await gate.isToken(tokenOf(request.body)))) {
      const refusal = 'that is not the refresh token.';
      await sendHostPage(backend, gate, request, response, document, { askedMs: null, refusal }, 403, '../../');
      return;
    }
    const askedMs = backend.nowMs();
    const probing = backend.probe(host, { exposure: true });
    if (probing !== null)
      await within(
        probing.catch(() => undefined),
        formWaitsMs,
      );
    // 303, so that loading the page again does not ask again.
    response
      .status(303)
      .set('Location', `../${encodeURIComponent(host)}?asked=${askedMs}`)
      .end();
  };
}

function tokenOf(body: unknown): string {
  const token = typeof body === 'object' && body !== null && 'token' in body ? body.token : undefined;
  return typeof token === 'string' ? token.trim() : '';
}

async function sendHostPage(
  backend: WebBackend,
  gate: Gate,
  request: Request,
  response: Response,
  document: HostDocument,
  answer: { readonly askedMs: number | null; readonly refusal: string | null },
  status = 200,
  root: '../' | '../../' = '../',
): Promise<void> {
  const nowMs = backend.nowMs();
  const stack = stackOf(backend, document.stack, nowMs);
  const page = renderHostPage({ document, ...stack, nowMs, needsToken: gate.needsToken(), root, ...answer });
  await sendPage(request, response, page, status);
}

function stackOf(
  backend: WebBackend,
  name: string,
  nowMs: number,
): { policy: StackPolicy; window: WindowTimes | null } {
  const policy = backend.policy(name);
  const window = policy.maintenanceWindow;
  return {
    policy,
    window: window === null ? null : { ...windowState(window, nowMs), durationSeconds: window.durationSeconds },
  };
}

async function sendNoHost(request: Request, response: Response, root: '../' | '../../' = '../'): Promise<void> {
  const what = `${JSON.stringify(pathPart(request, 'host'))} is not a server of the inventory.`;
  await sendPage(request, response, renderNotFoundPage(root, what), 404);
}
