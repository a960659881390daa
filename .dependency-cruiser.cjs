// Imports point one way: client, workers, schedules, stack → workflows, activities → domain ← scoring. `platform` is the I/O layer below activities.
const from = (path, pathNot) => ({ path: `^${path}/`, pathNot: ['\\.test\\.ts$', ...(pathNot ?? [])] });
const ours = '^(activities|client|platform|schedules|scoring|stack|workers|workflows)/';
module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      from: { pathNot: 'node_modules' },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'domain-is-pure',
      comment: "domain imports nothing of ours but the schemas' types",
      severity: 'error',
      from: from('domain'),
      to: { path: ours },
    },
    {
      name: 'platform-is-low',
      severity: 'error',
      from: from('platform'),
      to: { path: '^(activities|client|schedules|scoring|stack|workers|workflows)/' },
    },
    {
      name: 'workflows-see-types-only',
      comment: 'workflows import types of activities, values of domain only',
      severity: 'error',
      from: from('workflows'),
      to: { path: '^(activities|client|platform|schedules|scoring|stack|workers)/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'activities-are-low',
      severity: 'error',
      from: from('activities'),
      to: { path: '^(client|schedules|scoring|stack|workers)/' },
    },
    {
      name: 'schedules-know-contracts-only',
      severity: 'error',
      from: from('schedules'),
      to: { path: '^(activities|client|scoring|stack|workers)/' },
    },
    {
      name: 'scoring-stands-alone',
      severity: 'error',
      from: from('scoring'),
      to: { path: '^(client|schedules|stack|workers)/' },
    },
    {
      name: 'stack-runs-processes-only',
      severity: 'error',
      from: from('stack'),
      to: { path: '^(activities|client|schedules|scoring|workers|workflows)/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^dist' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.mjs'] },
  },
};
