import { createExporterMetrics } from './exporter-metrics';

const success = 'reboot_exporter_web_config_last_reload_successful';
const time = 'reboot_exporter_web_config_last_reload_success_timestamp_seconds';

it('tells of the web configuration where there is one, and whether it came into force', async () => {
  const metrics = createExporterMetrics();
  const samples = async (): Promise<string[]> =>
    (await metrics.render('text')).split('\n').filter((line) => line.startsWith('reboot_exporter_web_config'));
  expect(await samples()).toEqual([]);
  metrics.webConfigLoaded(true, 1_700_000_000);
  expect(await samples()).toEqual([`${success} 1`, `${time} 1700000000`]);
  metrics.webConfigLoaded(false, 1_700_000_500);
  expect(await samples()).toEqual([`${success} 0`, `${time} 1700000000`]);
  metrics.webConfigLoaded(true, 1_700_000_900);
  expect(await samples()).toEqual([`${success} 1`, `${time} 1700000900`]);
});
