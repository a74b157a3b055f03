import * as common from '@grafana/grafana-foundation-sdk/common';
import type * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
import * as table from '@grafana/grafana-foundation-sdk/table';
import { colour, urgencyWords, words } from './look';
import { dataSource, rows, serverLink } from './parts';
import * as query from './query';

function base(title: string, description: string): table.PanelBuilder {
  return new table.PanelBuilder()
    .title(title)
    .description(description)
    .datasource(dataSource)
    .unit('none')
    .noValue('-')
    .cellHeight(common.TableCellHeight.Sm)
    .overrideByName('Host', [
      { id: 'links', value: [serverLink().build()] },
      { id: 'custom.filterable', value: true },
      { id: 'custom.minWidth', value: 110 },
    ])
    .overrideByName('Stack', [
      { id: 'custom.filterable', value: true },
      { id: 'custom.minWidth', value: 90 },
    ]);
}

/** Puts the results of several queries into one row a host. */
function oneRowAHost(
  rename: Readonly<Record<string, string>>,
  hide: readonly string[],
): dashboard.DataTransformerConfig[] {
  const hidden = Object.fromEntries(['Time', ...hide].map((name) => [name, true]));
  const order = Object.fromEntries(Object.keys(rename).map((name, index) => [name, index]));
  return [
    { id: 'merge', options: {} },
    { id: 'organize', options: { excludeByName: hidden, renameByName: rename, indexByName: order } },
  ];
}

function colouredCell(): dashboard.DynamicConfigValue {
  return { id: 'custom.cellOptions', value: { type: 'color-background', mode: 'basic' } };
}

/** Everything that needs a restart, the most urgent first. */
export function needsMeNow(): table.PanelBuilder {
  const exposedPorts = `(${query.byHost('exposed_ports')} and on (host, stack) ${query.required})`;
  const windowOpen = `(${query.required} * 0 + on (stack) group_left () max by (stack) (reboot_maintenance_window_open))`;
  const basis = `(max by (host, stack, basis) (exposed_to_anywhere_basis_info{${query.selection}}) and on (host, stack) ${query.required})`;
  return base(
    'What needs me now',
    'Hosts that need a restart: exposed and overdue first. A row leads to everything about its server.',
  )
    .withTarget(rows('urgency', query.orSay(query.urgency, 'Nothing needs a restart', 0)))
    .withTarget(rows('age', query.age))
    .withTarget(rows('left', query.timeLeft))
    .withTarget(rows('exposed', `(${query.byHost('exposed_to_anywhere')} and on (host, stack) ${query.required})`))
    .withTarget(rows('ports', exposedPorts))
    .withTarget(rows('basis', basis))
    .withTarget(rows('window', windowOpen))
    .transformations(
      oneRowAHost(
        {
          'Value #urgency': 'Urgency',
          host: 'Host',
          stack: 'Stack',
          'Value #exposed': 'Exposed',
          'Value #ports': 'Open ports',
          basis: 'How known',
          'Value #age': 'Waiting for',
          'Value #left': 'Critical in',
          'Value #window': 'Window',
        },
        ['Value #basis'],
      ),
    )
    .sortBy([
      new common.TableSortByFieldStateBuilder().displayName('Urgency').desc(true),
      new common.TableSortByFieldStateBuilder().displayName('Exposed').desc(true),
      new common.TableSortByFieldStateBuilder().displayName('Waiting for').desc(true),
    ])
    .overrideByName('Urgency', [
      { id: 'mappings', value: urgencyWords },
      colouredCell(),
      { id: 'custom.width', value: 95 },
    ])
    .overrideByName('Exposed', [
      { id: 'custom.width', value: 100 },
      {
        id: 'mappings',
        value: [
          words({ '0': { text: 'internal', color: colour.notice }, '1': { text: 'exposed', color: colour.warning } }),
        ],
      },
      { id: 'custom.cellOptions', value: { type: 'color-text' } },
    ])
    .overrideByName('Waiting for', [
      { id: 'unit', value: 'dtdurations' },
      { id: 'decimals', value: 1 },
    ])
    .overrideByName('Critical in', [
      { id: 'unit', value: 'dtdurations' },
      { id: 'decimals', value: 1 },
      {
        id: 'mappings',
        value: [{ type: 'range', options: { from: null, to: 0, result: { text: 'overdue', color: colour.critical } } }],
      },
    ])
    .overrideByName('Open ports', [{ id: 'custom.width', value: 100 }])
    .overrideByName('How known', [{ id: 'custom.minWidth', value: 120 }])
    .overrideByName('Window', [
      { id: 'custom.width', value: 90 },
      {
        id: 'mappings',
        value: [
          words({ '0': { text: 'closed', color: colour.unknown }, '1': { text: 'open now', color: colour.good } }),
        ],
      },
      { id: 'custom.cellOptions', value: { type: 'color-text' } },
    ]);
}

/** Hosts on which nothing can raise the flag, or nothing has for long. */
export function notPatched(): table.PanelBuilder {
  const off = `(${query.byHost('automatic_updates_enabled')} == 0)`;
  const idle = `((time() - ${query.byHost('automatic_updates_last_run_timestamp_seconds')}) > 3 * 86400)`;
  return base(
    'Who is not being patched',
    'Hosts where nothing installs updates by itself, or has not for three days. No flag on them proves little.',
  )
    .withTarget(
      rows('off', query.orSay(`(${off} or (${idle} * 0 + 1))`, 'Every host that can tell is being patched', 2)),
    )
    .withTarget(rows('idle', idle))
    .transformations(
      oneRowAHost({ host: 'Host', stack: 'Stack', 'Value #off': 'Upgrades', 'Value #idle': 'Last ran' }, []),
    )
    .overrideByName('Upgrades', [
      {
        id: 'mappings',
        value: [
          words({
            '-1': { text: 'not known', color: colour.unknown },
            '0': { text: 'off or missing', color: colour.critical },
            '1': { text: 'on, but idle', color: colour.warning },
            '2': { text: 'on', color: colour.good },
          }),
        ],
      },
      { id: 'custom.cellOptions', value: { type: 'color-text' } },
    ])
    .overrideByName('Last ran', [
      { id: 'unit', value: 'dtdurations' },
      { id: 'decimals', value: 1 },
    ]);
}

export function notProbed(): table.PanelBuilder {
  const reason = `max by (host, stack, reason) (reboot_probe_failing_reason_info{${query.selection}})`;
  const silent = `((time() - ${query.byHost('reboot_probe_last_success_timestamp_seconds')}) and on (host, stack) (${query.byHost('reboot_probe_success')} == 0))`;
  return base('Who cannot be probed', 'Hosts whose last probe failed, why, and how long ago the last good one was.')
    .withTarget(rows('reason', query.orSay(reason, 'Every host answers', 1)))
    .withTarget(rows('silent', silent))
    .transformations(
      oneRowAHost({ host: 'Host', stack: 'Stack', reason: 'Why', 'Value #silent': 'Last answer' }, ['Value #reason']),
    )
    .overrideByName('Last answer', [
      { id: 'custom.minWidth', value: 175 },
      { id: 'unit', value: 'dtdurations' },
      { id: 'decimals', value: 1 },
      { id: 'noValue', value: 'never' },
    ]);
}
