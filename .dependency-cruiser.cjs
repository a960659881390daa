// Imports point one way: client, workers, schedules, stack → workflows, activities → ingest, stores → platform → domain; scoring → stores.
const from = (path, pathNot) => ({ path: `^${path}/`, pathNot: ['\\.test\\.ts$', ...(pathNot ?? [])] });
const rooms = (...names) => `^(${names.join('|')})/`;
const typesOnly = { dependencyTypesNot: ['type-only'] };
const rule = (name, where, to, comment) => ({
  name,
  severity: 'error',
  from: where,
  to,
  ...(comment === undefined ? {} : { comment }),
});
const ABOVE = ['client', 'schedules', 'scoring', 'stack', 'workers'];

module.exports = {
  forbidden: [
    rule(
      'no-cycles',
      { pathNot: 'node_modules' },
      { circular: true, viaOnly: typesOnly },
      'a circle of types alone is allowed',
    ),
    rule(
      'domain-is-pure',
      from('domain'),
      { path: rooms(...ABOVE, 'activities', 'ingest', 'platform', 'stores', 'workflows') },
      "domain imports nothing of ours but the schemas' types",
    ),
    rule('platform-is-low', from('platform'), {
      path: rooms(...ABOVE, 'activities', 'ingest', 'stores', 'workflows'),
    }),
    rule(
      'stores-are-low',
      from('stores'),
      { path: rooms(...ABOVE, 'activities', 'ingest', 'workflows') },
      'what is stored knows nobody who stores it',
    ),
    rule('ingest-is-low', from('ingest'), { path: rooms(...ABOVE, 'activities', 'workflows') }),
    rule(
      'workflows-see-types-only',
      from('workflows'),
      { path: rooms(...ABOVE, 'activities', 'ingest', 'platform', 'stores'), ...typesOnly },
      'workflows import types of activities, values of domain only',
    ),
    rule('activities-are-low', from('activities'), { path: rooms(...ABOVE, 'ingest') }),
    rule(
      'client-sees-contracts-only',
      from('client'),
      { path: '^activities/', pathNot: '/contract\\.ts$' },
      'the client starts workflows; what they do is not its business',
    ),
    rule('client-imports-types-of-activities', from('client'), { path: '^activities/', ...typesOnly }),
    rule('schedules-know-contracts-only', from('schedules'), {
      path: rooms('activities', 'client', 'ingest', 'scoring', 'stack', 'stores', 'workers'),
    }),
    rule('scoring-stands-alone', from('scoring'), { path: rooms('client', 'ingest', 'schedules', 'stack', 'workers') }),
    rule('stack-runs-processes-only', from('stack'), {
      path: rooms('activities', 'client', 'ingest', 'schedules', 'scoring', 'stores', 'workers', 'workflows'),
    }),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^dist' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.mjs'] },
  },
};
