import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describeWith } from '../../test/fixture/programs';
import { transpile, transpiledEnv } from '../../test/fixture/transpiled';
import type { Logger, LogFields } from '../logging/logger';
import type { RestartMemory } from '../restart/restart';
import { createVolatileMemory, openMemoryFile, type Memory } from './memory-file';
import { LockedError } from './memory-lock';

const day = 86_400_000;
const startMs = 1_795_305_600_000;

const memory: RestartMemory = {
  boot: { id: 'a', atSeconds: 1_795_132_800, earliestAtSeconds: 1_795_132_800, latestAtSeconds: 1_795_132_800 },
  sinceSeconds: 1_795_300_000,
  evidence: 'birth',
  survivedRestart: false,
};

let folder: string;
let file: string;
let opened: Memory[];
let lines: string[];
let failures: number;
let nowMs: number;
let monotonicMs: number;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'memory-'));
  file = join(folder, 'state.json');
  opened = [];
  lines = [];
  failures = 0;
  nowMs = startMs;
  monotonicMs = 0;
});

afterEach(async () => {
  for (const one of opened) await one.close();
  rmSync(folder, { recursive: true, force: true });
});

function logger(): Logger {
  const write =
    (level: string) =>
    (message: string, fields: LogFields = {}): void => {
      lines.push(`${level} ${message} ${JSON.stringify(fields)}`);
    };
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}

async function open(path = file): Promise<Memory> {
  const one = await openMemoryFile(path, {
    log: logger(),
    nowMs: () => nowMs,
    monotonicMs: () => monotonicMs,
    onSaveFailure: () => failures++,
  });
  opened.push(one);
  return one;
}

async function close(one: Memory): Promise<void> {
  opened = opened.filter((other) => other !== one);
  await one.close();
}

/** Closes, and opens again as a new exporter would. */
async function reopen(one: Memory): Promise<Memory> {
  await close(one);
  return open();
}

describe('the state file', () => {
  test('keeps what was set for the next exporter', async () => {
    const first = await open();
    await first.set('web-1', memory);
    await first.set('web-2', { ...memory, sinceSeconds: null, evidence: null });
    const second = await reopen(first);
    expect(second.get('web-1')).toMatchObject(memory);
    expect(second.get('web-2')).toMatchObject({ sinceSeconds: null });
    expect(second.get('web-3')).toBeNull();
    expect(lines.filter((line) => !line.startsWith('info'))).toEqual([]);
  });

  test('has what was set when set() resolves, before any close', async () => {
    const one = await open();
    await one.set('web-1', memory);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({
      format: 'reboot-exporter-state',
      version: 1,
      hosts: { 'web-1': { ...memory, seenAtMs: startMs } },
    });
  });

  test('is readable by its owner alone', async () => {
    const one = await open();
    await one.set('web-1', memory);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test('keeps a host of any name', async () => {
    const first = await open();
    for (const name of ['constructor', 'toString', 'ü', 'a.b', '10.0.0.1']) await first.set(name, memory);
    const second = await reopen(first);
    for (const name of ['constructor', 'toString', 'ü', 'a.b', '10.0.0.1'])
      expect(second.get(name)).toMatchObject(memory);
    expect(second.get('hasOwnProperty')).toBeNull();
  });

  test('takes a hundred hosts of a sweep in few writes', async () => {
    const one = await open();
    const inodes = new Set<number>();
    const watch = setInterval(() => existsSync(file) && inodes.add(statSync(file).ino), 0);
    await Promise.all(Array.from({ length: 100 }, (_, at) => one.set(`web-${at}`, memory)));
    clearInterval(watch);
    inodes.add(statSync(file).ino);
    expect(Object.keys((JSON.parse(readFileSync(file, 'utf8')) as { hosts: object }).hosts)).toHaveLength(100);
    expect(inodes.size).toBeLessThanOrEqual(3);
  });

  test('is not written again when nothing is new', async () => {
    const one = await open();
    await one.set('web-1', memory);
    const { ino } = statSync(file);
    await one.set('web-1', { ...memory, boot: { ...memory.boot, atSeconds: 1_795_132_801 } });
    expect(statSync(file).ino).toBe(ino);
    await one.set('web-1', { ...memory, sinceSeconds: 1_795_299_999 });
    expect(statSync(file).ino).not.toBe(ino);
  });

  test('is on disk also for the second of two that set the same at once', async () => {
    const one = await open();
    void one.set('web-1', memory);
    await one.set('web-1', memory);
    expect(readFileSync(file, 'utf8')).toContain('web-1');
  });
});

describe('a state file that can not be used', () => {
  async function expectSetAside(text: string | Buffer, fault: string): Promise<void> {
    writeFileSync(file, text);
    const one = await open();
    expect(one.get('web-1')).toBeNull();
    const aside = readdirSync(folder).filter((name) => name.includes('set-aside'));
    expect(aside).toHaveLength(1);
    expect(readFileSync(join(folder, aside[0] ?? '')).equals(Buffer.from(text))).toBe(true);
    expect(lines).toEqual([
      expect.stringContaining('warn The state file could not be used; it is set aside and begun anew'),
    ]);
    expect(lines[0]).toContain(fault);
    await one.set('web-1', memory);
    expect((await reopen(one)).get('web-1')).toMatchObject(memory);
  }

  test('missing: it is begun anew, without a warning', async () => {
    await open();
    expect(lines).toEqual([expect.stringContaining('info There is no state file yet')]);
  });

  test('empty', () => expectSetAside('', 'it is empty'));
  test('bytes that are no text', () => expectSetAside(Buffer.from([0, 255, 1, 2]), 'not JSON'));
  test('JSON of something else', () => expectSetAside('{"hosts":{}}', 'not a state file of this program'));
  test('JSON that is no object', () => expectSetAside('[1]', 'not a state file of this program'));
  test('without hosts', () => expectSetAside('{"format":"reboot-exporter-state","version":1}', 'it has no hosts'));
  test('a version that is none', () =>
    expectSetAside('{"format":"reboot-exporter-state","version":"1","hosts":{}}', 'not a state file of this program'));
  test('of a newer exporter', () =>
    expectSetAside(
      '{"format":"reboot-exporter-state","version":2,"fleet":[]}',
      'a newer exporter wrote it (version 2)',
    ));

  test('cut off, at every byte: it is set aside, whole, and nothing throws', async () => {
    const first = await open();
    await first.set('web-1', memory);
    await close(first);
    const whole = readFileSync(file);
    for (let length = 0; length < whole.length - 1; length += 1) {
      writeFileSync(file, whole.subarray(0, length));
      nowMs += 1;
      const one = await open();
      expect(one.get('web-1')).toBeNull();
      await close(one);
    }
    const aside = readdirSync(folder).filter((name) => name.includes('set-aside'));
    expect(aside).toHaveLength(whole.length - 1);
  });

  test('one bad host among good ones: the others are kept, and it is told how many were not', async () => {
    const good = { ...memory, seenAtMs: startMs };
    const hosts = {
      'web-1': good,
      'web-2': { ...good, sinceSeconds: 'yesterday' },
      'web-3': null,
      'web-4': { ...good, evidence: 'rumour' },
      'web-5': { ...good, boot: 'a' },
      'web-6': good,
    };
    writeFileSync(file, JSON.stringify({ format: 'reboot-exporter-state', version: 1, hosts }));
    const one = await open();
    expect(['web-1', 'web-2', 'web-3', 'web-4', 'web-5', 'web-6'].filter((name) => one.get(name) !== null)).toEqual([
      'web-1',
      'web-6',
    ]);
    expect(lines).toEqual([expect.stringContaining('"hosts":4')]);
  });

  test('any JSON: nothing throws', async () => {
    await fc.assert(
      fc.asyncProperty(fc.json(), fc.constantFrom(1, 2, 0, -1), async (json, version) => {
        writeFileSync(file, `{"format":"reboot-exporter-state","version":${version},"hosts":${json}}`);
        await close(await open());
      }),
      { numRuns: 60 },
    );
  });

  test('a folder in its place is told as what it is', async () => {
    mkdirSync(file);
    await expect(open()).rejects.toThrow('EISDIR');
  });

  test('a folder that is not there is told as what it is', async () => {
    await expect(open(join(folder, 'missing', 'state.json'))).rejects.toThrow('ENOENT');
  });
});

describe('what is forgotten', () => {
  test('a host that was not seen for 90 days, by the next exporter', async () => {
    const first = await open();
    await first.set('old', memory);
    nowMs += 91 * day;
    await first.set('new', memory);
    const second = await reopen(first);
    expect(second.get('old')).toBeNull();
    expect(second.get('new')).not.toBeNull();
  });

  test('not a host that is probed all the time without any news', async () => {
    const first = await open();
    await first.set('steady', memory);
    for (let days = 0; days < 100; days++) {
      nowMs += day;
      await first.set('steady', memory);
    }
    // Killed: nothing is written at the end.
    const written = readFileSync(file);
    await close(first);
    writeFileSync(file, written);
    const second = await open();
    await second.set('other', memory);
    expect((await reopen(second)).get('steady')).not.toBeNull();
  });

  test('a host that left the inventory 90 days ago, by the clock that can not be set', async () => {
    const one = await open();
    await one.set('left', memory);
    monotonicMs += 91 * day;
    await one.set('here', memory);
    expect(one.get('left')).toBeNull();
  });

  test.each([10 * 365, -10 * 365])(
    'nothing when the clock of the exporter is wrong by %d days for a while',
    async (days) => {
      const first = await open();
      await first.set('web-1', memory);
      await first.set('web-2', memory);
      nowMs += days * day;
      await first.set('web-1', { ...memory, survivedRestart: true });
      expect(first.get('web-2')).not.toBeNull();
      nowMs -= days * day;
      const second = await reopen(first);
      await second.set('web-1', memory);
      expect(second.get('web-2')).not.toBeNull();
      expect((await reopen(second)).get('web-2')).not.toBeNull();
    },
  );
});

test('nothing is forgotten by an exporter that starts before its clock is set', async () => {
  const first = await open();
  await first.set('web-1', memory);
  await close(first);
  nowMs = 0;
  const second = await open();
  nowMs = startMs;
  await second.set('web-2', memory);
  expect((await reopen(second)).get('web-1')).not.toBeNull();
});

describe('two exporters on one file', () => {
  test('the second is told so, and the first is not disturbed', async () => {
    const first = await open();
    await first.set('web-1', memory);
    await expect(open()).rejects.toThrow(LockedError);
    await expect(open()).rejects.toThrow(
      `${file} is in use by another running exporter; give each its own --state.file`,
    );
    await first.set('web-2', memory);
    expect((await reopen(first)).get('web-2')).not.toBeNull();
  });

  test('two files in one folder are no conflict', async () => {
    await open();
    await open(join(folder, 'other.json'));
  });

  test('after a close nothing is left but the state file', async () => {
    await close(await open());
    expect(readdirSync(folder)).toEqual(['state.json']);
  });

  test('a path longer than a socket may have is no problem', async () => {
    const deep = join(folder, 'x'.repeat(100), 'y'.repeat(100));
    mkdirSync(deep, { recursive: true });
    const first = await open(join(deep, 'state.json'));
    await expect(open(join(deep, 'state.json'))).rejects.toThrow(LockedError);
    await close(first);
  });

  test('of many that find a stale lock at once, at most one gets it', async () => {
    await leaveStaleLock();
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => open()));
    expect(outcomes.filter(({ status }) => status === 'fulfilled').length).toBeLessThanOrEqual(1);
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(LockedError);
    for (const one of [...opened]) await close(one);
    await open();
  });
});

describe('an exporter that is killed', () => {
  test('leaves a lock that the next takes at once', async () => {
    await leaveStaleLock();
    const begun = performance.now();
    await open();
    expect(performance.now() - begun).toBeLessThan(1000);
  });

  test('holds the lock until then, and also while it is stopped', async () => {
    const child = await startHolder();
    await expect(open()).rejects.toThrow(LockedError);
    child.kill('SIGSTOP');
    await expect(open()).rejects.toThrow(LockedError);
    child.kill('SIGKILL');
    await gone(child);
    await open();
  });

  test('at any moment of writing, leaves a whole file and, after the next start, nothing else', async () => {
    for (let round = 0; round < 8; round++) {
      const child = await startHolder('write');
      await new Promise((resolve) => setTimeout(resolve, 20 + round * 15));
      child.kill('SIGKILL');
      await gone(child);
      const { hosts } = JSON.parse(readFileSync(file, 'utf8')) as { hosts: object };
      expect(Object.keys(hosts).length).toBeGreaterThan(1000);
    }
    const one = await open();
    expect(lines.filter((line) => line.startsWith('warn'))).toEqual([]);
    expect(readdirSync(folder).sort()).toEqual(['js', 'state.json', 'state.json.lock']);
    await close(one);
  });
});

interface Outcome {
  /** Writes that failed while there was no room. */
  readonly failures: number;
  /** The same after there was room again. */
  readonly after: number;
  readonly hostsWhenFull: number;
}

describe('a disk that fails', () => {
  /** Sets a small state, then one that is too large; answers what the child said of it. */
  function writeTooMuch(prefix: string): Outcome {
    transpileMemory();
    const script = `
      const { openMemoryFile } = require('./js/memory/memory-file.js');
      const log = { debug() {}, info() {}, warn() {}, error() {} };
      // Its default is the end of the process.
      process.on('SIGXFSZ', () => undefined);
      let failures = 0;
      openMemoryFile(process.argv[1], { log, nowMs: Date.now, onSaveFailure: () => failures++ }).then(async (memory) => {
        const entry = ${JSON.stringify(memory)};
        await memory.set('first', entry);
        await Promise.all(Array.from({ length: 2000 }, (_, at) => memory.set('host-' + at, entry)));
        const failed = failures;
        const hostsWhenFull = Object.keys(JSON.parse(require('fs').readFileSync(process.argv[1], 'utf8')).hosts).length;
        require('fs').rmSync('filler', { force: true });
        await memory.set('first', entry);
        console.log(JSON.stringify({ failures: failed, after: failures, hostsWhenFull }));
        process.exit(0);
      });
    `;
    const command = `${prefix} exec '${process.execPath}' -e "$SCRIPT" '${file}'`;
    const env = { ...process.env, ...transpiledEnv, SCRIPT: script };
    return JSON.parse(execFileSync('sh', ['-c', command], { cwd: folder, env, encoding: 'utf8' })) as Outcome;
  }

  test('in the middle of a write: the old state stays, and the failure is counted', () => {
    // A file may have 100 blocks of 512 bytes: what is written beyond fails after a part of it, as on a full disk.
    const { failures: failed } = writeTooMuch('ulimit -f 100;');
    expect(failed).toBeGreaterThan(0);
    expect(Object.keys((JSON.parse(readFileSync(file, 'utf8')) as { hosts: object }).hosts)).toEqual(['first']);
  });

  test('is told in the log, and the write is made up for at the next set, though that is no news', async () => {
    const one = await open();
    await one.set('web-1', memory);
    rmSync(file);
    mkdirSync(file);
    writeFileSync(join(file, 'x'), '');
    await one.set('web-2', memory);
    expect(failures).toBe(1);
    expect(lines.at(-1)).toMatch(/^error The state file could not be written .*EISDIR/);
    rmSync(file, { recursive: true });
    await one.set('web-2', memory);
    expect(failures).toBe(1);
    expect(readFileSync(file, 'utf8')).toContain('web-2');
  });

  describeWith(['mount', 'root'], 'by being full', () => {
    beforeEach(() => execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder]));
    afterEach(() => execFileSync('umount', [folder]));

    test('keeps the old state, and is written to once there is room again', () => {
      writeFileSync(join(folder, 'filler'), Buffer.alloc(800 * 1024));
      const { failures: failed, after, hostsWhenFull } = writeTooMuch('');
      expect(failed).toBeGreaterThan(0);
      expect(hostsWhenFull).toBe(1);
      expect(after).toBe(failed);
      expect(Object.keys((JSON.parse(readFileSync(file, 'utf8')) as { hosts: object }).hosts)).toHaveLength(2001);
    });
  });
});

describe('a folder that can not be written', () => {
  test('is told by its name', () => {
    transpileMemory();
    mkdirSync(join(folder, 'closed'));
    chmodSync(join(folder, 'closed'), 0o555);
    chmodSync(folder, 0o755);
    const script = `
      // Root may write anywhere.
      if (process.getuid() === 0) { process.setgroups([65534]); process.setgid(65534); process.setuid(65534); }
      const { openMemoryFile } = require('./js/memory/memory-file.js');
      openMemoryFile('${folder}/closed/state.json', { log: console, nowMs: Date.now }).then(
        () => console.log('opened'), (error) => console.log(error.code + ' ' + error.message));
    `;
    const output = execFileSync(process.execPath, ['-e', script], {
      cwd: folder,
      env: { ...process.env, ...transpiledEnv },
      encoding: 'utf8',
    });
    expect(output).toBe(`EACCES ${folder}/closed can't be written, where state.json is to be kept: EACCES\n`);
  });
});

test('a volatile memory remembers as long as it lives', async () => {
  const one = createVolatileMemory();
  expect(one.get('web-1')).toBeNull();
  await one.set('web-1', memory);
  expect(one.get('web-1')).toEqual(memory);
  await one.close();
});

function transpileMemory(): void {
  transpile(['memory/memory-file.ts', 'memory/memory-lock.ts', 'memory/memory-text.ts'], join(folder, 'js'));
}

/** A real exporter's hold on the state file, in a process of its own; with `write`, it writes all the time. */
async function startHolder(what: 'hold' | 'write' = 'hold'): Promise<ChildProcess> {
  transpileMemory();
  const script = `
    const { openMemoryFile } = require('./js/memory/memory-file.js');
    const log = { debug() {}, info() {}, warn: console.error, error: console.error };
    openMemoryFile(process.argv[1], { log, nowMs: Date.now }).then(async (memory) => {
      const entry = ${JSON.stringify(memory)};
      const setAll = (since) => Promise.all(
        Array.from({ length: 2000 }, (_, at) => memory.set('host-' + at, { ...entry, sinceSeconds: since })));
      if (process.argv[2] === 'write') await setAll(0);
      console.log('open');
      for (let since = 1; process.argv[2] === 'write'; since++) await setAll(since);
      setInterval(() => undefined, 1000);
    });
  `;
  const child = spawn(process.execPath, ['-e', script, file, what], {
    cwd: folder,
    env: { ...process.env, ...transpiledEnv },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise<void>((resolve, reject) => {
    child.stdout.once('data', () => resolve());
    child.once('exit', () => reject(new Error('the holder ended')));
  });
  return child;
}

async function leaveStaleLock(): Promise<void> {
  const child = await startHolder();
  child.kill('SIGKILL');
  await gone(child);
  expect(existsSync(`${file}.lock`)).toBe(true);
}

function gone(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve();
    else child.once('exit', () => resolve());
  });
}
