'use strict';
// Required before a program, shifts its wall clock by as many seconds as a file says, whenever that changes: what
// settimeofday(2) does to a whole machine. The clock that can not be set goes on as it was.
const { readFileSync } = require('node:fs');
const { setInterval } = require('node:timers');

const file = process.env.SHIFTED_CLOCK_FILE;
const RealDate = Date;
let shiftMs = 0;

setInterval(() => {
  try {
    shiftMs = 1000 * Number(readFileSync(file, 'utf8'));
  } catch {
    // It is being written.
  }
}, 20).unref();

const now = () => RealDate.now() + shiftMs;
globalThis.Date = new Proxy(RealDate, {
  construct: (target, given, newTarget) => Reflect.construct(target, given.length === 0 ? [now()] : given, newTarget),
  apply: () => new RealDate(now()).toString(),
  get: (target, name, receiver) => (name === 'now' ? now : Reflect.get(target, name, receiver)),
});
