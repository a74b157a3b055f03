import { mixedFleet, sketchBackend, sketchStatus } from '../../../test/web/fleet-fixture';
import { searchText } from './digest';

it('agrees with the document of every host', () => {
  const backend = sketchBackend({ hosts: mixedFleet });
  for (const { status, urgency, restart, exposure, ageSeconds } of backend.digests()) {
    const document = backend.document(status.host.name);
    expect({ urgency, restart, exposure }).toEqual({
      urgency: document?.urgency,
      restart: document?.restart.verdict,
      exposure: document?.exposure.verdict,
    });
    expect(ageSeconds === null ? null : Math.round(ageSeconds)).toBe(document?.restart.age_seconds ?? null);
  }
});

it('tells how a host answers', () => {
  const answers = sketchBackend({ hosts: mixedFleet }).digests();
  const answeringOf = (name: string): string | undefined =>
    answers.find(({ status }) => status.host.name === name)?.answering;
  expect(['web-1', 'build-1', 'build-2', 'build-3', 'new'].map(answeringOf)).toEqual([
    'yes',
    'no',
    'restarting',
    'no',
    'not_yet',
  ]);
});

it('bounds what is searched of one host', () => {
  const packages = Array.from({ length: 100_000 }, (_, index) => `package-${index}`);
  expect(searchText(sketchStatus({ name: 'x', neededForDays: 1, packages })).length).toBeLessThanOrEqual(50_000);
});
