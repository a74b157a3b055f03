import type { Section } from '../../../src/report/section';

/** Takes apart what the collection script printed. */
export function splitSections(output: Buffer, nonce: string): ReadonlyMap<string, Section> {
  const sections = new Map<string, Section>();
  let at = 0;
  for (;;) {
    const begin = output.indexOf(`\n=${nonce} begin `, at);
    if (begin < 0) return sections;
    const lineEnd = output.indexOf('\n', begin + 1);
    const name = output.toString('latin1', begin + `\n=${nonce} begin `.length, lineEnd);
    const marker = `\n=${nonce} end ${name} `;
    const end = output.indexOf(marker, lineEnd);
    if (end < 0) return sections;
    const statusEnd = output.indexOf('\n', end + 1);
    const status = Number(output.toString('latin1', end + marker.length, statusEnd));
    sections.set(name, { name, status, body: output.subarray(Math.min(lineEnd + 1, end), end) });
    at = statusEnd;
  }
}
