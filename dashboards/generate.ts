import { serverDashboard } from './server';
import { fleetDashboard } from './fleet';

/** The committed JSON of each dashboard, by file name. */
export function dashboardFiles(): ReadonlyMap<string, string> {
  return new Map([
    ['fleet.json', `${JSON.stringify(fleetDashboard().build(), null, 2)}\n`],
    ['server.json', `${JSON.stringify(serverDashboard().build(), null, 2)}\n`],
  ]);
}
