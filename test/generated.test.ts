import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dashboardFiles } from '../dashboards/generate';
import { failureReasonsPage, metricsPage } from '../src/metrics/documentation';
import { createExporterMetrics } from '../src/metrics/exporter-metrics';

const root = join(__dirname, '..');

/** Compares a committed file with what the source makes of it; `npm run generate` writes it instead. */
function expectGenerated(file: string, text: string): void {
  if (process.env['UPDATE_GENERATED'] === '1') writeFileSync(join(root, file), text);
  expect(readFileSync(join(root, file), 'utf8')).toBe(text);
}

test('the documentation of the metrics is that of the source', () => {
  expectGenerated('docs/metrics.md', metricsPage(createExporterMetrics().heads()));
});

test('the documentation of the failure reasons is that of the source', () => {
  expectGenerated('docs/failure-reasons.md', failureReasonsPage());
});

test.each([...dashboardFiles()])('the dashboard %s is that of the source', (file, text) => {
  expectGenerated(join('dashboards', file), text);
});
