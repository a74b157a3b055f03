import type { HostDocument, LivepatchDocument } from '../../document/host-document';
import { markup, type Content, type Html } from './markup';
import { moment, renderWindow, type WindowTimes } from './stack-words';
import { basisInWords, evidenceInWords, exposureWord, openPorts } from './words';

interface Facts {
  readonly document: HostDocument;
  readonly window: WindowTimes | null;
  readonly nowMs: number;
}

/** The facts of a host, a line each. */
export function renderFacts({ document, window, nowMs }: Facts): Html {
  const { restart, exposure, probe, labels } = document;
  const open = openPorts(exposure);
  const lines: (readonly [string, Content] | null)[] = [
    restart.since === null
      ? null
      : ['Needed since', markup`${moment(restart.since, nowMs)}: ${evidenceInWords(restart.evidence)}`],
    restart.reasons.length === 0 ? null : ['Asked for by', words(restart.reasons)],
    restart.booted_at === null ? null : ['Booted', moment(restart.booted_at, nowMs)],
    restart.scheduled_at === null ? null : ['Shutdown or restart planned', moment(restart.scheduled_at, nowMs)],
    restart.livepatch === null ? null : ['Live patched', renderLivepatch(restart.livepatch, nowMs)],
    restart.by_itself === null || restart.by_itself.by === 'shutdown'
      ? null
      : ['Restarts by itself', renderByItself(restart.by_itself, nowMs)],
    (document.outdated_services ?? []).length === 0
      ? null
      : ['Services that run replaced libraries', renderServices(document.outdated_services ?? [])],
    ['Automatic updates', renderUpdates(document.updates, nowMs)],
    ['Open to the internet', renderExposure(exposure)],
    open.length === 0 ? null : ['Open ports', words(open)],
    ['Maintenance window', renderWindow(window, nowMs)],
    ['Last probe', renderLastProbe(probe, nowMs)],
    probe.success === true || probe.last_success_at === null
      ? null
      : ['Last answer', moment(probe.last_success_at, nowMs)],
    renderNextProbe(probe, nowMs),
    Object.keys(labels).length === 0
      ? null
      : ['Labels', words(Object.entries(labels).map(([name, value]) => `${name}=${value}`))],
  ];
  return markup`<dl>
${lines.map((line) => line !== null && markup`<dt>${line[0]}</dt><dd>${line[1]}</dd>\n`)}</dl>`;
}

/** A list of single words. */
export function words(texts: readonly string[]): Html {
  return markup`<ul class="words">${texts.map((text) => markup`<li>${text}</li>`)}</ul>`;
}

/** Most services that a page names. */
const maxServices = 50;

function renderServices(services: NonNullable<HostDocument['outdated_services']>): Content {
  const names = services.slice(0, maxServices).map(({ service, libraries }) => `${service} (${libraries.join(', ')})`);
  const more = services.length > maxServices ? ` and ${services.length - maxServices} more` : '';
  return markup`${words(names)}${more} <span class="muted">Restarting each of them is enough.</span>`;
}

function renderLivepatch({ patches, covered_until: until, covering }: LivepatchDocument, nowMs: number): Content {
  const names = words(patches.slice(0, 10));
  const covered = covering ? 'It is needed for the kernel alone, which is patched: never critical for now. ' : '';
  if (until === null) return markup`${covered}${names}`;
  return markup`${covered}Patches are made for this kernel until ${moment(until, nowMs)}. ${names}`;
}

function renderByItself(
  { by, at, because }: NonNullable<HostDocument['restart']['by_itself']>,
  nowMs: number,
): Content {
  return at === null ? `${by}: ${because}` : markup`${moment(at, nowMs)}: ${by}, ${because}`;
}

function renderUpdates({ automatic, by, last_run_at: ranAt }: HostDocument['updates'], nowMs: number): Content {
  if (automatic === null) return 'not known';
  if (!automatic) return by === null ? 'none' : `${by} is switched off`;
  return ranAt === null ? (by ?? '') : markup`${by}, last run ${moment(ranAt, nowMs)}`;
}

function renderExposure(exposure: HostDocument['exposure']): Content {
  if (exposure.basis === null) return exposureWord(exposure);
  const basis = basisInWords(exposure.basis);
  return exposure.because === ''
    ? `${exposureWord(exposure)}: ${basis}`
    : markup`${exposureWord(exposure)}: ${exposure.because} <span class="muted">(${basis})</span>`;
}

/** null while it is being probed: when the next one is depends on how that ends. */
function renderNextProbe(probe: HostDocument['probe'], nowMs: number): readonly [string, Content] | null {
  if (probe.next_at !== null) return ['Next probe', moment(probe.next_at, nowMs)];
  return probe.scheduled ? null : ['Next probe', 'when it is asked for: there is no schedule'];
}

function renderLastProbe({ at, success, duration_seconds: duration }: HostDocument['probe'], nowMs: number): Content {
  if (at === null) return 'none yet';
  const took = duration === null ? '' : `, took ${duration < 10 ? duration.toFixed(2) : Math.round(duration)} s`;
  return markup`${moment(at, nowMs)}: ${success === true ? 'answered' : 'failed'}${took}`;
}
