import fc from 'fast-check';
import { expect, it } from 'vitest';
import { seeded } from '../../test/support/seeded.js';
import { Undos } from './unwind.js';

interface Model {
  /** what may have to be taken back, oldest first */
  open: { name: string; fails: boolean }[];
}
interface Real {
  undos: Undos;
  /** undos that ran, in their order */
  ran: string[];
}
type Command = fc.AsyncCommand<Model, Real>;

/** A deed that may fail after it has had its effect, whose undo may fail too. */
const deed = (name: string, { deedFails, undoFails }: { deedFails: boolean; undoFails: boolean }): Command => ({
  check: () => true,
  run: async (model, { undos, ran }) => {
    const undo = (): Promise<void> => {
      ran.push(name);
      return undoFails ? Promise.reject(new Error(`cannot undo ${name}`)) : Promise.resolve();
    };
    const done = undos.before(name, undo, () => (deedFails ? Promise.reject(new Error(name)) : Promise.resolve(name)));
    await (deedFails ? expect(done).rejects.toThrow(name) : expect(done).resolves.toBe(name));
    model.open.push({ name, fails: undoFails });
  },
  toString: () => `deed ${name}${deedFails ? ', fails' : ''}${undoFails ? ', undo fails' : ''}`,
});
const clear: Command = {
  check: () => true,
  run: async (model, { undos }) => {
    undos.clear();
    model.open = [];
    return Promise.resolve();
  },
  toString: () => 'clear',
};
const unwind: Command = {
  check: () => true,
  run: async (model, { undos, ran }) => {
    ran.length = 0;
    const failures = await undos.unwind();
    const newestFirst = [...model.open].reverse();
    expect(ran).toEqual(newestFirst.map(({ name }) => name));
    expect(failures.map(({ name, error }) => [name, (error as Error).message])).toEqual(
      newestFirst.filter(({ fails }) => fails).map(({ name }) => [name, `cannot undo ${name}`]),
    );
    model.open = [];
  },
  toString: () => 'unwind',
};

it('takes back every deed that began, each once, the newest first; one that fails does not stop the others', async () => {
  const commands = fc.commands(
    [
      fc
        .tuple(fc.constantFrom('a', 'b', 'c'), fc.record({ deedFails: fc.boolean(), undoFails: fc.boolean() }))
        .map(([name, how]) => deed(name, how)),
      fc.constant(unwind),
      fc.constant(clear),
    ],
    { maxCommands: 20 },
  );
  const setup = () => ({ model: { open: [] } as Model, real: { undos: new Undos(), ran: [] } });
  await fc.assert(
    fc.asyncProperty(commands, (run) => fc.asyncModelRun(setup, run)),
    seeded(300),
  );
});
