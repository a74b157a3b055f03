import { exposureScript } from '../../../src/exposure/collect';
import { DEFAULT_BOUNDS, evaluateExposure, examineExposure } from '../../../src/exposure/evaluate';
import { parseExposureFacts } from '../../../src/exposure/facts';
import type { ExposureVerdict } from '../../../src/exposure/verdict';
import type { Section } from '../../../src/report/section';
import type { Arena } from './arena';
import { type Comparison, type Discrepancy, compare } from './compare';
import { openToHalf, probe, probeAgain } from './probe';
import type { Scene } from './scene';
import { splitSections } from './sections';

/** The host's addresses are of the documentation ranges, which stand for public ones. */
const settings = { mode: 'evaluate', public: true, edge: null, ignore: [], dialledAddress: null } as const;

/** A scene that was loaded, evaluated and knocked at. */
export interface Tried {
  /** As it was loaded: without the rules that the tools refused. */
  readonly scene: Scene;
  readonly verdict: ExposureVerdict;
  readonly result: Comparison;
  /** What is worth showing of the single peers. */
  readonly shown: readonly Discrepancy[];
  readonly evaluateMs: number;
  /** What the host sent, to root. */
  readonly sections: ReadonlyMap<string, Section>;
  /** What it sent to nobody, if the verdict was wrong or a single peer did not fare as foreseen; else null. */
  readonly sectionsOfNobody: ReadonlyMap<string, Section> | null;
}

/** The collection script as the probe program embeds it, with sections framed by lines that no ruleset contains. */
const collection = `R= sudo= nonce=0f1e2d
PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
export PATH LC_ALL
section() {
  section_name=$1
  shift
  printf '\\n=%s begin %s\\n' "$nonce" "$section_name"
  "$@" 2>/dev/null
  printf '\\n=%s end %s %s\\n' "$nonce" "$section_name" "$?"
}
exposure() {
${exposureScript}
}
exposure
`;

/** What the host in the arena sends, to root or to nobody. */
function collect(arena: Arena, as: 'root' | 'nobody' = 'root'): ReadonlyMap<string, Section> {
  const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
  return splitSections(arena.run([...(as === 'root' ? [] : nobody), 'sh'], collection).output, '0f1e2d');
}

/** Loads the scene, evaluates what the host sends, and holds that against real packets; a text says why it did not load. */
export async function tryScene(arena: Arena, scene: Scene): Promise<Tried | string> {
  const { agents } = arena;
  arena.clear();
  const files = Object.fromEntries(Object.entries(scene.sysctls).map(([key, value]) => [`/proc/sys/${key}`, value]));
  await agents.host.ask({ do: 'write', files });
  const failed = await agents.host.ask<readonly string[]>({ do: 'listen', listeners: scene.listeners });
  const loaded = scene.loads.map((load) => ({ argv: load.argv, ...arena.load(load.argv, load.input) }));
  if (failed.length > 0 || loaded.some((one) => !one.ok)) {
    await agents.host.ask({ do: 'close' });
    return [...failed, ...loaded.map((one) => one.error)].join(' ').trim();
  }
  const sections = collect(arena);
  const facts = parseExposureFacts(sections);
  const start = performance.now();
  const verdict = evaluateExposure(facts, settings);
  const evaluateMs = performance.now() - start;
  const examination = examineExposure(facts, settings, { ...DEFAULT_BOUNDS, exhaustive: true });
  let truth = await probe(agents, scene);
  let result = compare(scene, verdict, examination, truth);
  const missed = result.discrepancies.filter((one) => one.kind === 'imprecise').map((one) => one.key);
  if (missed.length > 0 && !scene.fickle) {
    truth = await probeAgain(agents, scene, truth, new Set(missed));
    result = compare(scene, verdict, examination, truth);
  }
  // Rules are made around the peers, so half of a few of them may be nobody much: ask the internet at large.
  if (result.forbidden) {
    const anywhere = await openToHalf(agents, scene, result.anywhere);
    result = { ...result, anywhere, forbidden: anywhere.length > 0 };
  }
  const shown = result.discrepancies.filter((one) => one.kind === 'unsound' || !scene.fickle);
  const isWrong = shown.length > 0 || result.forbidden || result.wrongExposed;
  const sectionsOfNobody = isWrong ? collect(arena, 'nobody') : null;
  await agents.host.ask({ do: 'close' });
  const asLoaded = { ...scene, loads: loaded.map(({ argv, text }) => ({ argv, input: text })) };
  return { scene: asLoaded, verdict, result, shown, evaluateMs, sections, sectionsOfNobody };
}
