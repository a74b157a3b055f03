// Scrapes an exporter as Prometheus does with a timeout of a second, again and again, and holds every answer against the
// truth. A process of its own: nothing else in it may be late. Reads orders, a line of JSON each, and writes what it saw.
import { request } from 'node:http';
import { createInterface } from 'node:readline';
import { Scrape } from '../e2e/scrape';
import { type Ages, faultsIn, type Truth } from './truth';
import type { WatchOrder, WatchReport } from './truth-watch';

const timeoutMs = 1000;
const pauseMs = 150;

const ages: Ages = new Map();
let url: string | null = null;
let truth: Truth = {};
/** Raised with every order: what was asked for before it may be answered after. */
let order = 0;

function fetchMetrics(from: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request(`${from}/metrics`, { agent: false, timeout: timeoutMs }, (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(pieces).toString('utf8');
        if (response.statusCode === 200 && response.complete) resolve(text);
        else reject(new Error(`status ${response.statusCode}`));
      });
    });
    const limit = setTimeout(() => asked.destroy(new Error(`no whole answer within ${timeoutMs} ms`)), timeoutMs);
    asked.on('close', () => clearTimeout(limit));
    asked.on('error', reject);
    asked.end();
  });
}

function tell(report: WatchReport): void {
  process.stdout.write(`${JSON.stringify(report)}\n`);
}

async function scrapeOnce(from: string): Promise<void> {
  const begunOrder = order;
  const begunMs = Date.now();
  const begun = performance.now();
  let report: WatchReport;
  try {
    const text = await fetchMetrics(from);
    const tookMs = performance.now() - begun;
    const scrape = new Scrape(text, begunMs, Date.now());
    report = { tookMs, faults: begunOrder === order ? faultsIn(scrape, truth, ages) : [] };
  } catch (error) {
    report = { tookMs: performance.now() - begun, faults: [`no answer: ${String(error)}`] };
  }
  // An exporter that is being stopped need not answer.
  if (begunOrder === order) tell(report);
}

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const wanted = JSON.parse(line) as WatchOrder;
    order += 1;
    if (wanted.url !== undefined) url = wanted.url;
    if (wanted.truth !== undefined) truth = { ...truth, ...wanted.truth };
    // What is true of it now may have another age.
    for (const host of Object.keys(wanted.truth ?? {})) ages.delete(host);
    if (wanted.forgetAges === true) ages.clear();
    tell({ done: wanted.number });
  })
  .on('close', () => process.exit());

async function run(): Promise<void> {
  for (;;) {
    if (url !== null) await scrapeOnce(url);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

void run();
