import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startExporter, type Exporter } from '../../src/exporter';
import type { LogFields, Logger } from '../../src/logging/logger';
import type { ConfigOverrides } from '../lab/exporter-config';
import type { Lab } from '../lab/lab';
import { seenWhole } from '../secrets/seen';
import { scrape, type Scrape } from './scrape';

/** A line that the exporter logged. */
export interface LogLine extends LogFields {
  readonly level: string;
  readonly msg: string;
}

/** The whole exporter in the test's own process, probing a lab. */
export class ExporterInProcess {
  private constructor(
    private readonly exporter: Exporter,
    readonly log: readonly LogLine[],
  ) {}

  /** Starts it with the lab's configuration; the state file is in the lab's folder, and outlives it. */
  static async start(lab: Lab, overrides: ConfigOverrides): Promise<ExporterInProcess> {
    const configFile = join(lab.folder, 'reboot-exporter.yml');
    writeFileSync(configFile, lab.configYaml(overrides));
    const log: LogLine[] = [];
    const exporter = await startExporter({
      configFile,
      stateFile: join(lab.folder, 'state.json'),
      listenAddresses: [{ host: '127.0.0.1', port: 0 }],
      webConfigFile: null,
      enableLifecycle: false,
      shard: null,
      log: keepingLogger(log),
    });
    return new ExporterInProcess(exporter, log);
  }

  get url(): string {
    return this.exporter.urls[0] ?? '';
  }

  metrics(): Promise<Scrape> {
    return scrape(`${this.url}/metrics`);
  }

  /** The API's document of a host. */
  async document(host: string): Promise<Record<string, Record<string, unknown>>> {
    const response = await fetch(`${this.url}/api/v1/hosts/${host}`);
    return (await response.json()) as Record<string, Record<string, unknown>>;
  }

  stop(): Promise<void> {
    return this.exporter.stop();
  }
}

function keepingLogger(lines: LogLine[]): Logger {
  const keep =
    (level: string) =>
    (msg: string, fields: LogFields = {}): void => {
      lines.push({ ...fields, level, msg });
      seenWhole('log of an exporter in a test', JSON.stringify({ ...fields, level, msg }));
    };
  return { debug: keep('debug'), info: keep('info'), warn: keep('warn'), error: keep('error') };
}
