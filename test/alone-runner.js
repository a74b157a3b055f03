'use strict';
const { default: TestRunner } = require('jest-runner');

/** Runs tests one after the other: those that hold a fleet of hosts to times would fail for what runs beside them. */
class AloneRunner extends TestRunner {
  isSerial = true;
}

module.exports = AloneRunner;
