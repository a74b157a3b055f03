import type { HostDocument } from '../../document/host-document';
import { exposureClass } from '../../policy/urgency';
import type { StackPolicy } from '../../policy/policy';
import { explainFailure, restartSteps, unknownAdvice } from './advice';
import { renderFacts } from './host-facts';
import { renderPackages, renderPorts, renderSignals } from './host-tables';
import { markup, type Content, type Html } from './markup';
import { renderPage } from './layout';
import { limitsInWords, type WindowTimes } from './stack-words';
import { distanceInWords, lengthInWords, momentInWords } from './time-words';
import { restartingShape, urgencyShape } from './words';

/** Everything that the page of one host shows. */
export interface HostPageInput {
  readonly document: HostDocument;
  readonly policy: StackPolicy;
  /** null: its stack has no maintenance window. */
  readonly window: WindowTimes | null;
  readonly nowMs: number;
  /** "Probe now" must ask for the token. */
  readonly needsToken: boolean;
  /** When the reader asked for a probe that the page waits for; Unix time in milliseconds. */
  readonly askedMs: number | null;
  /** Why "probe now" was refused. */
  readonly refusal: string | null;
  /** The relative path to `/`: the page is shown at its own address, and at that of its form. */
  readonly root: '../' | '../../';
}

/** For how long a page waits for the probe that its reader asked for, in milliseconds. */
const waitsForMs = 120_000;

const reloadSeconds = { waiting: 2, restarting: 5, usual: 60 } as const;

/** One host: whether to restart it, why, since when, how soon, and how. */
export function renderHostPage(input: HostPageInput): string {
  const { document, root } = input;
  const { host, stack, urgency, probe, restart } = document;
  const isWaiting = waits(input);
  return renderPage({
    title: `${host}: ${headline(document)}`,
    root,
    reloadSeconds: isWaiting
      ? reloadSeconds.waiting
      : probe.restarting
        ? reloadSeconds.restarting
        : reloadSeconds.usual,
    body: markup`<p><a href="${root}">All servers</a> · stack <a href="${root}?stack=${encodeURIComponent(stack)}">${stack}</a></p>
<h1>${host}</h1>
<div class="banner ${urgency}"><p class="big">${probe.restarting ? restartingShape : urgencyShape(urgency)} ${headline(document)}</p>
${restart.verdict === 'required' && markup`<p>${limits(input)}</p>`}</div>
${renderAsked(input, isWaiting)}
${renderFailure(input)}
${restart.still_required_after_restart && renderStillRequired()}
${renderProbeForm(input)}
${renderFacts(input)}
${restart.verdict === 'required' && renderSteps()}
${restart.verdict === 'unknown' && probe.success === true && renderList('What to do', unknownAdvice)}
${renderPackages(restart)}
${renderSignals(restart)}
${renderPorts(document.exposure)}
<p class="muted end">The same as <a href="${root}api/v1/hosts/${encodeURIComponent(host)}">JSON</a>. The page loads again by itself.</p>`,
  });
}

function headline({ probe, restart, urgency }: HostDocument): string {
  if (probe.restarting) return 'Restarting';
  const age = restart.age_seconds === null ? '' : ` for ${lengthInWords(restart.age_seconds)}`;
  if (restart.verdict === 'required')
    return urgency === 'critical' ? `Restart overdue: needed${age}` : `Restart needed${age}`;
  if (restart.verdict === 'not_required') return 'No restart needed';
  if (probe.at === null) return 'Not probed yet';
  return probe.success === true ? "Can't tell whether a restart is needed" : 'Nothing is known: it does not answer';
}

function limits({ document, policy }: HostPageInput): string {
  const { restart, exposure, urgency, stack } = document;
  const name = exposureClass(exposure.verdict);
  const { warningAfterSeconds, criticalAfterSeconds } = policy[name];
  const age = restart.age_seconds ?? 0;
  const next =
    age < warningAfterSeconds ? (['due', warningAfterSeconds] as const) : (['overdue', criticalAfterSeconds] as const);
  const ahead = urgency === 'critical' ? '' : ` This one is ${next[0]} in ${lengthInWords(next[1] - age)}.`;
  return `${limitsInWords(policy, name, stack)}${ahead}`;
}

function waits({ document, askedMs, nowMs }: HostPageInput): boolean {
  if (askedMs === null || nowMs - askedMs > waitsForMs || askedMs > nowMs + 1000) return false;
  // Times of probes are told in whole seconds.
  return document.probe.at === null || Date.parse(document.probe.at) < Math.floor(askedMs / 1000) * 1000;
}

function renderAsked({ refusal, askedMs }: HostPageInput, isWaiting: boolean): Content {
  if (refusal !== null)
    return markup`<div class="note" role="alert"><p><strong>Not probed:</strong> ${refusal}</p></div>`;
  if (askedMs === null) return null;
  return isWaiting
    ? markup`<div class="note" role="status"><p><strong>Probing…</strong> This page loads again until the answer is there.</p></div>`
    : markup`<div class="note" role="status"><p><strong>Probed.</strong> This is what the server said.</p></div>`;
}

function renderFailure({ document, nowMs }: HostPageInput): Content {
  const { probe, restart } = document;
  if (probe.success !== false) return null;
  const { meaning, steps } = explainFailure(probe.reason);
  const kept =
    probe.last_success_at === null
      ? 'It has not answered since the exporter began.'
      : `It last answered ${distanceInWords(probe.last_success_at, nowMs)}, ${momentInWords(probe.last_success_at)}.`;
  const shown = restart.booted_at === null && restart.signals.length === 0 ? '' : ' What is shown below is from then.';
  const what = probe.restarting
    ? markup`<p><strong>It seems to be restarting.</strong> It is tried again every few seconds.</p>`
    : markup`<p><strong>The last probe failed: ${probe.reason}.</strong> ${meaning}</p>`;
  return markup`<section class="note" aria-label="Last probe">${what}
<p>Message: <code>${probe.message ?? ''}</code></p>
<p>${kept}${shown}</p>
${!probe.restarting && steps.length > 0 && markup`<p>What to do:</p><ul>${steps.map((step) => markup`<li>${step}</li>`)}</ul>`}</section>`;
}

function renderStillRequired(): Html {
  return markup`<section class="note"><p><strong>It was restarted, and needs it still.</strong> The restart did not take what was installed: look below at which kernel runs and which is installed, and whether the boot loader starts the old one.</p></section>`;
}

function renderProbeForm({ document, needsToken, root }: HostPageInput): Html {
  const token =
    needsToken &&
    markup`<label>Refresh token <input type="password" name="token" required autocomplete="off" maxlength="1024"></label>\n`;
  return markup`<form class="probe" method="post" action="${root}hosts/${encodeURIComponent(document.host)}/probe">
${token}<button class="main" type="submit">Probe now</button>
</form>`;
}

function renderSteps(): Html {
  return markup`<h2>How to restart it well</h2>
<ol>${restartSteps.map(({ title, text }) => markup`<li><strong>${title}.</strong> ${text}</li>\n`)}</ol>`;
}

function renderList(title: string, lines: readonly Content[]): Html {
  return markup`<h2>${title}</h2>\n<ul>${lines.map((line) => markup`<li>${line}</li>\n`)}</ul>`;
}
