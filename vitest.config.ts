import { defineConfig } from 'vitest/config';

// One project a layer, the layers one after another: `unit` and `replay` need nothing, `integration` shares servers that the run starts,
// `system` drives whole stacks. A new `*.test.ts` anywhere is picked up; its name or folder says by which layer.
const common = { environment: 'node', pool: 'forks' as const, maxWorkers: 2 };
const elsewhere = ['**/node_modules/**', 'dist/**', '.sluice/**'];
const LAYERS = {
  integration: ['**/*.integration.test.ts'],
  replay: ['test/replay/**/*.test.ts'],
  system: ['test/system/**/*.test.ts'],
};

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...common,
          name: 'unit',
          // one process for many files, whose imports take longer than most of their tests; none leaves a mock, a clock or a folder behind
          isolate: false,
          restoreMocks: true,
          // against tests that hang; what takes two seconds takes ten where others use the machine
          testTimeout: 30_000,
          sequence: { groupOrder: 0 },
          include: ['**/*.test.ts'],
          exclude: [...elsewhere, ...Object.values(LAYERS).flat()],
        },
      },
      {
        test: {
          ...common,
          name: 'replay',
          sequence: { groupOrder: 0 },
          include: LAYERS.replay,
          exclude: elsewhere,
          testTimeout: 120_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          ...common,
          name: 'integration',
          sequence: { groupOrder: 1 },
          // one process for many files, as above: each would import the clients of all servers for itself, a second and a half of a core
          isolate: false,
          // servers and time limits are waited for most of the time, so three files at once fill two cores
          maxWorkers: 3,
          include: LAYERS.integration,
          exclude: elsewhere,
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
          // two workers: a third stack would leave the scorers less than the latency that the model's gates ask for
          include: LAYERS.system,
          exclude: elsewhere,
          globalSetup: ['test/support/demo-state.setup.ts'],
          testTimeout: 900_000,
          hookTimeout: 900_000,
        },
      },
    ],
  },
});
