import type * as sdk from '@grafana/grafana-foundation-sdk/dashboard';
import { serverDashboard } from './server';
import { fleetDashboard } from './fleet';

/** The committed JSON of each dashboard, by file name. */
export function dashboardFiles(): ReadonlyMap<string, string> {
  return new Map([
    ['fleet.json', text(fleetDashboard().build())],
    ['server.json', text(serverDashboard().build())],
  ]);
}

/** Panels get numbers, by which links and Grafana's own pictures of one panel name them; without, each load makes up others. */
function text(dashboard: sdk.Dashboard): string {
  const panels = dashboard.panels?.map((panel, index) => ({ id: index + 1, ...panel }));
  return `${JSON.stringify({ ...dashboard, panels }, null, 2)}\n`;
}
