import { expect, it } from 'vitest';
import { parameterChanges, shownParameters } from './provenance.js';

it('names the parameters that differ, the seed among them, and not how many rows there were', () => {
  const champion = {
    seed: '1',
    num_leaves: '31',
    'isolation_forest.n_estimators': '100',
    rows_train: '5',
    threads: '2',
  };
  const candidate = { seed: '2', num_leaves: '31', learning_rate: '0.03', rows_train: '6', threads: '4' };
  expect(parameterChanges(champion, candidate)).toEqual([
    { name: 'isolation_forest.n_estimators', champion: '100', candidate: null },
    { name: 'learning_rate', champion: null, candidate: '0.03' },
    { name: 'seed', champion: '1', candidate: '2' },
  ]);
  expect(parameterChanges(champion, champion)).toEqual([]);
  expect(shownParameters({ seed: '2', threads: '4' })).toEqual([{ name: 'seed', champion: null, candidate: '2' }]);
});

it('is small, whatever a run was given', () => {
  const many = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`p${index}`, 'x'.repeat(6000)]));
  const found = shownParameters(many);
  expect(found).toHaveLength(40);
  expect(JSON.stringify(found).length).toBeLessThan(10_000);
});
