import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sketchBackend } from '../../test/web/fleet-fixture';
import { formatFault } from '../config/fault';
import { silentLogger } from '../logging/logger';
import { systemTime } from '../time/time';
import { openSettings } from './settings/settings';
import { openWebSettings, startWebSide } from './web-side';

const effects = { log: silentLogger, time: systemTime };
const source = { current: () => openSettings };
const loopback = { host: '127.0.0.1', port: 0 };

it('is open without a file', () => {
  expect(openWebSettings(null, effects).source?.current()).toBe(openSettings);
});

it('tells what is wrong with a file, with its place', () => {
  const file = join(mkdtempSync(join(tmpdir(), 'web-side-')), 'web.yml');
  writeFileSync(file, 'basic_auth_users: 5\n');
  expect(openWebSettings(file, effects).faults?.map(formatFault)).toEqual([
    `${file}:1:19: basic_auth_users: must be a mapping, not a number`,
  ]);
  expect(openWebSettings(`${file}.none`, effects).faults?.map(formatFault)).toEqual([
    `${file}.none:1:1: does not exist`,
  ]);
});

it('listens on every address', async () => {
  const web = await startWebSide([loopback, loopback], sketchBackend({}), source);
  for (const url of web.urls) expect((await fetch(`${url}/-/healthy`)).status).toBe(200);
  expect(new Set(web.urls).size).toBe(2);
  await web.close(0);
});

it('listens on none when one can not be had', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => taken.once('listening', resolve));
  const { port } = taken.address() as AddressInfo;
  const free = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => free.once('listening', resolve));
  const other = (free.address() as AddressInfo).port;
  await new Promise((resolve) => free.close(resolve));
  const starting = startWebSide(
    [
      { host: '127.0.0.1', port: other },
      { host: '127.0.0.1', port },
    ],
    sketchBackend({}),
    source,
  );
  await expect(starting).rejects.toMatchObject({ code: 'EADDRINUSE' });
  await expect(fetch(`http://127.0.0.1:${other}/-/healthy`)).rejects.toThrow();
  await new Promise((resolve) => taken.close(resolve));
});
