import type { RestartMemory } from '../../src/restart/restart';
import { assessReport, recordedHosts, summarize } from './recorded-host';

describe.each(recordedHosts().map((host) => [host.folder, host] as const))('%s', (_folder, host) => {
  test('says where its facts come from', async () => {
    expect(host.proof).not.toBeNull();
    for (const { answer } of host.reports) {
      const { sections } = await assessReport(answer, null);
      const unexplained = sections.filter((name) => !new RegExp(`\\b${name}\\b`).test(host.source));
      expect(unexplained).toEqual([]);
    }
  });

  test('is understood', async () => {
    expect(host.reports.length).toBeGreaterThan(0);
    let remembered: RestartMemory | null = null;
    for (const { name, answer, expected } of host.reports) {
      const { state, memory } = await assessReport(answer, remembered);
      expect({ [name]: summarize(state, Object.keys(expected.says ?? {})) }).toEqual({ [name]: expected });
      remembered = memory;
    }
  });
});
