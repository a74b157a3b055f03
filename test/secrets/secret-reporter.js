'use strict';
const { Buffer } = require('node:buffer');
const { createReadStream, existsSync, mkdtempSync, readFileSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const { createInterface } = require('node:readline');

/** With fewer files than this a run is not the whole suite, and may have seen nothing. */
const wholeSuiteFiles = 100;
const leastSeen = 200;
const leastSecrets = 50;

/**
 * Gathers over a whole test run what exporters said (logs, pages, metrics, answers, crashes; see seen.ts) and which
 * secrets the tests gave them, and fails the run where one has the other.
 */
class SecretReporter {
  onRunStart() {
    this.folder = mkdtempSync(join(tmpdir(), 'reboot-exporter-seen-'));
    process.env.REBOOT_EXPORTER_TEST_SEEN = this.folder;
  }

  async onRunComplete(_contexts, results) {
    const { found, texts, megabytes, secrets } = await search(this.folder);
    rmSync(this.folder, { recursive: true, force: true });
    if (texts > 0) {
      process.stderr.write(
        `${texts} outputs of exporters, ${megabytes.toFixed(1)} MB, searched for ${secrets} secrets\n`,
      );
    }
    const isWhole = results.numTotalTestSuites >= wholeSuiteFiles;
    if (isWhole && (texts < leastSeen || secrets < leastSecrets)) {
      this.error = new Error(`only ${texts} outputs and ${secrets} secrets were gathered: the search is worth nothing`);
    }
    if (found.length > 0) this.error = new Error(`secrets were let out:\n${found.join('\n')}`);
    if (this.error !== undefined) process.stderr.write(`${this.error.message}\n`);
  }

  getLastError() {
    return this.error;
  }
}

async function search(folder) {
  const secrets = linesOf(join(folder, 'secrets'));
  const file = join(folder, 'seen');
  const found = [];
  let texts = 0;
  let bytes = 0;
  if (!existsSync(file)) return { found, texts, megabytes: 0, secrets: secrets.length };
  for await (const line of createInterface({ input: createReadStream(file) })) {
    const { kind, test, text } = JSON.parse(line);
    texts += 1;
    bytes += text.length;
    for (const secret of secrets) {
      const at = text.indexOf(secret);
      // The secret itself is not shown here either: this may be a public log.
      if (at >= 0)
        found.push(
          `${test}: ${kind}, at ${at}, a secret of ${secret.length} characters after "${text.slice(Math.max(0, at - 60), at)}"`,
        );
    }
  }
  return { found, texts, megabytes: bytes / 1e6, secrets: secrets.length };
}

/** Written as UTF-8 and searched as bytes, as outputs are. */
function linesOf(file) {
  if (!existsSync(file)) return [];
  const texts = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  return [...new Set(texts)].map((line) => Buffer.from(JSON.parse(line), 'utf8').toString('latin1'));
}

module.exports = SecretReporter;
