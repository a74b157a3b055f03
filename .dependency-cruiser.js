'use strict';

/**
 * Imports run one way, along the way of the data: a folder may import from those
 * that stand before it in this list, and from itself.
 */
const order = [
  ['failure', 'version', 'open-files', 'time', 'logging'],
  ['inventory', 'policy', 'ssh', 'config'],
  ['report', 'reading', 'signal', 'restart', 'updates'],
  ['exposure'],
  ['memory', 'schedule'],
  ['probe'],
  ['fleet'],
  ['document', 'metrics'],
  ['web'],
  ['exporter'],
  ['demo', 'host-setup'],
  ['command'],
  ['main'],
];

const place = (names) => `^src/(${names.join('|')})(/|\\.ts$)`;

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    ...order.map((names, index) => ({
      name: `${names[0]}-imports-only-what-comes-before`,
      severity: 'error',
      from: { path: place(names), pathNot: '\\.test\\.ts$' },
      to: {
        path: place(
          order
            .slice(index + 1)
            .flat()
            .concat('nothing'),
        ),
      },
    })),
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^test/|\\.test\\.ts$' },
  },
};
