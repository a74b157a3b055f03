'use strict';
const { setTimeout } = require('node:timers');

const secondsToEnd = 30;

/** Closes a test run with one line that a script can read. */
class CountReporter {
  onRunComplete(_contexts, results) {
    // A file that could not even be loaded has no tests to count, and must not look like none failed.
    const broken = results.testResults.filter((file) => file.testExecError !== undefined && file.numFailingTests === 0);
    const skipped = results.numPendingTests + results.numTodoTests;
    const tail = skipped > 0 ? `, ${skipped} skipped` : '';
    let failed = results.numFailedTests + broken.length;
    // Jest's own summary comes after the reporters; this line is to be the last.
    process.on('exit', () => process.stderr.write(`${results.numPassedTests} passed, ${failed} failed${tail}\n`));
    // A child process or a socket that a test forgot would have the run wait for ever.
    setTimeout(() => {
      failed += 1;
      const left = process.getActiveResourcesInfo().join(', ');
      process.stderr.write(`The tests are over, and something of theirs still runs: ${left}\n`);
      process.exit(1);
    }, secondsToEnd * 1000).unref();
  }
}

module.exports = CountReporter;
