import type { RecordedCase } from '../recorded-case';
import { SOURCES } from '../recorded-case';
import type { Section } from '../../../src/report/section';
import type { Tried } from './try-scene';

/** What a person needs to see why. */
export function inWords({ scene, shown, verdict, result }: Tried): string {
  const word = result.forbidden ? ' WRONGLY NOT EXPOSED' : result.wrongExposed ? ' WRONGLY EXPOSED' : '';
  const sockets = scene.listeners.map(
    (one) => `${one.proto} ${one.address}:${one.port}${one.address === '::' ? ` v6only=${one.ipv6Only}` : ''}`,
  );
  return [
    `seed ${scene.seed}${scene.fickle ? ' (fickle)' : ''}${word}: ${verdict.because}`,
    ...shown.slice(0, 6).map((one) => `  ${one.kind}: ${one.what}`),
    `  listeners ${sockets.join(', ')}; ${JSON.stringify(scene.sysctls)}`,
    ...scene.loads.map(
      (load) => `  ${load.argv.join(' ')}\n${load.input.replace(/\n+/g, '\n').replace(/^/gm, '    ')}`,
    ),
  ].join('\n');
}

/** The scene as a recorded case, with what packets did as its truth. */
export function recorded(tried: Tried): RecordedCase {
  const open = tried.result.anywhere.map((key) => {
    const [proto, family, port] = key.split(' ');
    return `${proto}${family}/${port}`;
  });
  return {
    name: `z-${tried.scene.seed}`,
    description: tried.verdict.because,
    listeners: tried.scene.listeners.map((one) => `${one.proto} ${one.address}:${one.port}`),
    grading:
      open.length > 0
        ? { exposed: 'right', unknown: 'weak', not_exposed: 'FORBIDDEN' }
        : { exposed: 'wrong', unknown: 'weak', not_exposed: 'right' },
    openFromAnywhere: open,
    root: files(tried.sections),
    user: files(tried.sectionsOfNobody ?? new Map()),
  };
}

function files(sections: ReadonlyMap<string, Section>): RecordedCase['root'] {
  const out: Record<string, RecordedCase['root'][string]> = {};
  for (const [file, name] of Object.entries(SOURCES)) {
    const section = sections.get(name);
    if (section !== undefined) out[file] = { status: section.status, text: section.body.toString() };
  }
  return out;
}
