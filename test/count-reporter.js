'use strict';

/** Closes a test run with one line that a script can read. */
class CountReporter {
  onRunComplete(_contexts, results) {
    // A file that could not even be loaded has no tests to count, and must not look like none failed.
    const broken = results.testResults.filter((file) => file.testExecError !== undefined && file.numFailingTests === 0);
    const failed = results.numFailedTests + broken.length;
    const skipped = results.numPendingTests + results.numTodoTests;
    const tail = skipped > 0 ? `, ${skipped} skipped` : '';
    // Jest's own summary comes after the reporters; this line is to be the last.
    process.on('exit', () => process.stderr.write(`${results.numPassedTests} passed, ${failed} failed${tail}\n`));
  }
}

module.exports = CountReporter;
