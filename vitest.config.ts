import { defineConfig } from 'vitest/config';

// Three layers, three projects, one after another: `unit` needs nothing, `integration` uses real servers it starts itself, `system` drives whole stacks.
// Servers are waited for half of the time, so two files at once fill two cores; all of both layers together took longer.
const common = { environment: 'node', pool: 'forks' as const };

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...common,
          name: 'unit',
          sequence: { groupOrder: 0 },
          include: [
            '{activities,client,domain,ingest,platform,schedules,schemas,scoring,stack,stores,workers,workflows,test/unit}/**/*.test.ts',
          ],
          exclude: ['**/*.integration.test.ts'],
        },
      },
      {
        test: {
          ...common,
          name: 'integration',
          sequence: { groupOrder: 1 },
          maxWorkers: 2,
          include: ['**/*.integration.test.ts', 'test/replay/**/*.test.ts'],
          exclude: ['node_modules/**', 'dist/**'],
          globalSetup: ['test/support/shared-servers.setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          ...common,
          name: 'system',
          sequence: { groupOrder: 2 },
          maxWorkers: 2,
          include: ['test/system/**/*.test.ts'],
          globalSetup: ['test/support/demo-state.setup.ts'],
          testTimeout: 900_000,
          hookTimeout: 900_000,
        },
      },
    ],
  },
});
