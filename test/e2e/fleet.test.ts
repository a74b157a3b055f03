import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeWithLab } from '../lab/describe-with-lab';
import { Lab } from '../lab/lab';
import { ensureBuilt } from './built-program';
import { ExporterProcess, type ExporterProcessOptions } from './exporter-process';
import { FleetRun, probeTimeoutSeconds } from './fleet-run';
import { fleetSpecs } from './fleet-specs';
import { ModelHost } from './model-host';
import { seededRandom, seedOfRun } from './seeded-random';

jest.setTimeout(300_000);

const hostCount = 50;
const rounds = 20;
const seed = seedOfRun();

function tell(line: string): void {
  process.stderr.write(`fleet of ${hostCount}: ${line}\n`);
}

describeWithLab(`a fleet of ${hostCount} hosts (E2E_SEED=${seed})`, () => {
  const random = seededRandom(seed);
  let lab: Lab;
  let run: FleetRun;
  let options: ExporterProcessOptions;

  beforeAll(async () => {
    ensureBuilt();
    const begunMs = performance.now();
    lab = await Lab.start({ hosts: fleetSpecs(hostCount, random) });
    tell(`E2E_SEED=${seed}; started in ${((performance.now() - begunMs) / 1000).toFixed(1)} s`);
    options = { configFile: join(lab.folder, 'reboot-exporter.yml'), stateFile: join(lab.folder, 'state.json') };
    writeFileSync(
      options.configFile,
      lab.configYaml({ probe: { interval: '2s', timeout: `${probeTimeoutSeconds}s` } }),
    );
    const hosts = lab.hosts.map((host) => new ModelHost(host));
    await Promise.all(hosts.map((host) => host.noteBoot()));
    run = new FleetRun(lab, hosts, random, options);
    run.watch.start();
  });

  afterAll(async () => {
    await run?.stop();
    await lab?.stop();
  });

  test('starts in mixed states', async () => {
    await run.change(false);
    const begunMs = performance.now();
    await run.startExporter();
    expect(await run.settle()).toEqual([]);
    tell(`first values of all ${((performance.now() - begunMs) / 1000).toFixed(1)} s after the exporter's start`);
  });

  test(`has every value as it was set up through ${rounds} rounds of changes, and no age goes back when it is killed`, async () => {
    const killIn = new Set(
      random.some(
        Array.from({ length: rounds }, (_, round) => round),
        9,
      ),
    );
    for (let round = 0; round < rounds; round++) {
      await run.change(killIn.has(round));
      const faults = [...(await run.settle()), ...run.watch.faults];
      if (faults.length > 0)
        throw new Error(`round ${round}, E2E_SEED=${seed}:\n${faults.join('\n')}\nafter ${run.changes.join(', ')}`);
    }
    expect(run.kills).toBeGreaterThanOrEqual(9);
    expect(run.watch.scrapes).toBeGreaterThan(rounds * 10);
    tell(
      `${run.kills} kills, ${run.watch.scrapes} scrapes, ages at most ${run.watch.mostBehindSeconds.toFixed(2)} s behind`,
    );
  });

  test('keeps a second exporter off its state file', async () => {
    const second = ExporterProcess.launch(options);
    expect(await second.ending()).toEqual({ code: 1, signal: null });
    expect(second.log).toContain(`${options.stateFile} is in use by another running exporter`);
    await run.change(false);
    expect(await run.settle()).toEqual([]);
  });
});
