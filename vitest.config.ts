import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

// Three layers, three projects: `unit` needs nothing, `integration` uses real servers it starts itself,
// `system` drives whole stacks. These two wait for servers half of their time: two files at once fill two cores.
const workers = { sequence: { groupOrder: 1 }, maxWorkers: 2 };

/** Whole stacks take minutes: begun last, one of them would run on alone. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isLong = ({ project }: TestSpecification): boolean => project.name === 'system';
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

const common = { environment: 'node', pool: 'forks' as const };

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
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
          ...workers,
          name: 'integration',
          include: ['**/*.integration.test.ts', 'test/replay/**/*.test.ts'],
          exclude: ['node_modules/**', 'dist/**'],
          testTimeout: 120_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          ...common,
          ...workers,
          name: 'system',
          include: ['test/system/**/*.test.ts'],
          testTimeout: 900_000,
          hookTimeout: 900_000,
        },
      },
    ],
  },
});
