import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What the tests read of a committed dashboard; Grafana reads more. */
export interface DashboardJson {
  readonly uid: string;
  readonly title: string;
  readonly description?: string;
  readonly editable: boolean;
  readonly refresh: string;
  readonly time: { readonly from: string; readonly to: string };
  readonly tags: readonly string[];
  readonly links: readonly LinkJson[];
  readonly templating: { readonly list: readonly VariableJson[] };
  readonly annotations: { readonly list: readonly AnnotationJson[] };
  readonly panels: readonly PanelJson[];
}

export interface LinkJson {
  readonly title: string;
  readonly url: string;
}

export interface DataSourceJson {
  readonly type?: string;
  readonly uid?: string;
}

export interface VariableJson {
  readonly name: string;
  readonly type: string;
  readonly label?: string;
  readonly query: string | { readonly query: string };
  readonly datasource?: DataSourceJson;
  readonly refresh?: number;
  readonly multi?: boolean;
  readonly includeAll?: boolean;
  readonly allValue?: string;
}

export interface AnnotationJson {
  readonly name: string;
  readonly datasource: DataSourceJson;
  readonly expr: string;
  readonly step: string;
}

export interface TargetJson {
  readonly refId: string;
  readonly expr: string;
  readonly instant?: boolean;
  readonly range?: boolean;
  readonly format?: string;
  readonly legendFormat?: string;
  readonly datasource?: DataSourceJson;
}

export interface PanelJson {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly datasource?: DataSourceJson;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly TargetJson[];
  readonly fieldConfig?: {
    readonly defaults: { readonly unit?: string; readonly noValue?: string };
    readonly overrides: readonly {
      readonly properties: readonly { readonly id: string; readonly value?: unknown }[];
    }[];
  };
  readonly options?: { readonly content?: string };
}

/** The dashboards as they are shipped. */
export const dashboards: readonly DashboardJson[] = ['fleet', 'server'].map(
  (name) => JSON.parse(readFileSync(join(__dirname, '../../dashboards', `${name}.json`), 'utf8')) as DashboardJson,
);

/** The text of a query variable's query. */
export function variableQuery({ query }: VariableJson): string {
  return typeof query === 'string' ? query : query.query;
}
