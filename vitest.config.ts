import { defineConfig } from 'vitest/config';

// Three layers, three projects: `unit` needs nothing, `integration` uses real servers it starts itself,
// `system` drives whole stacks. These two wait for servers half of their time: two files at once fill two cores.
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
            '{activities,client,domain,platform,schedules,schemas,scoring,stack,workers,workflows,test/unit}/**/*.test.ts',
          ],
          exclude: ['**/*.integration.test.ts'],
        },
      },
      {
        test: {
          ...common,
          name: 'integration',
          sequence: { groupOrder: 1 },
          include: ['**/*.integration.test.ts', 'test/replay/**/*.test.ts'],
          exclude: ['node_modules/**', 'dist/**'],
          maxWorkers: 2,
          testTimeout: 120_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          ...common,
          name: 'system',
          sequence: { groupOrder: 2 },
          include: ['test/system/**/*.test.ts'],
          maxWorkers: 2,
          testTimeout: 900_000,
          hookTimeout: 900_000,
        },
      },
    ],
  },
});
