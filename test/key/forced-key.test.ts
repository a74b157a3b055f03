import { freePort } from '../fixture/free-port';
import { describeWithLab } from '../lab/describe-with-lab';
import type { LabHost } from '../lab/host';
import { Lab } from '../lab/lab';
import { ensureBuilt } from '../e2e/built-program';
import { setUpHost } from '../e2e/exposure-setup';
import { keyAttacks, type Scene } from './attacks';
import { layTraps, listing } from './traps';

jest.setTimeout(120_000);

describeWithLab('the key of host-setup, in the hands of an attacker', () => {
  let lab: Lab;
  let guarded: LabHost;
  let open: LabHost;
  let before: ReadonlyMap<string, string>;

  beforeAll(async () => {
    ensureBuilt();
    const openSettings = 'AcceptEnv *\nPermitUserEnvironment yes\nPermitTunnel yes\nX11UseLocalhost yes\n';
    lab = await Lab.start({ hosts: [{ name: 'guarded' }, { name: 'open', sshdConfig: openSettings }] });
    guarded = lab.host('guarded');
    open = lab.host('open');
    for (const host of [guarded, open]) {
      await setUpHost(lab, host);
      await layTraps(host);
    }
    // The same key, without its restrictions, in the same place.
    open.write('/var/lib/reboot-exporter/.ssh/authorized_keys', `${lab.clientKey.publicKey}\n`);
    before = await listing(guarded);
  });

  afterAll(() => lab?.stop());

  test.each(keyAttacks)('$name: works with another key, and is refused with this one', async (attack) => {
    const scene = async (host: LabHost, patienceMs: number): Promise<Scene> => ({
      lab,
      host,
      freePort: await freePort(),
      patienceMs,
    });
    const scenes = [await scene(open, 10_000), await scene(guarded, 2000)] as const;
    const [withAny, withThis] = await Promise.all(scenes.map((each) => attack.run(each)));
    expect(withAny).toMatch(attack.works);
    expect(withThis).toMatch(attack.refused);
    expect(withThis).not.toMatch(attack.works);
  });

  test('nothing on the host is other than before', async () => {
    expect(before.size).toBeGreaterThan(200);
    expect([...(await listing(guarded))].filter(([path, what]) => before.get(path) !== what)).toEqual([]);
  });
});
