'use strict';

/** Tests that hold hosts to times: they run one by one, after the others. */
const alone = [
  '/test/e2e/(exposure|exposure-changes|fleet|serve|sharding)\\.test\\.ts$',
  '/test/faults/(hostile-hosts|reliability|surroundings)\\.test\\.ts$',
  '/test/lab/(lab|lease)\\.test\\.ts$',
  '/test/(paging|soak)/.*\\.test\\.ts$',
  '/src/ssh/.*\\.hostile\\.test\\.ts$',
];

const project = {
  testEnvironment: 'node',
  roots: ['<rootDir>/src', '<rootDir>/test', '<rootDir>/alerts', '<rootDir>/dashboards'],
  transform: { '^.+\\.ts$': ['ts-jest', { diagnostics: false }] },
};

module.exports = {
  projects: [
    {
      ...project,
      displayName: 'beside others',
      testMatch: ['**/*.test.ts'],
      testPathIgnorePatterns: ['/node_modules/', ...alone],
    },
    { ...project, displayName: 'alone', runner: '<rootDir>/test/alone-runner.js', testRegex: alone },
  ],
  testTimeout: 30000,
  reporters: ['default', '<rootDir>/test/secrets/secret-reporter.js', '<rootDir>/test/count-reporter.js'],
  maxWorkers: 2,
};
