const follower = { file: 'scoring/control/pointer-follower.ts', tests: ['scoring/control/pointer-follower.test.ts'] };
const rounds = { file: 'scoring/control/rounds.ts', tests: ['scoring/control/pointer-follower.test.ts'] };
const told = { file: 'scoring/control/told-rounds.ts', tests: ['scoring/control/pointer-follower.test.ts'] };
const lease = { file: 'scoring/control/replica-lease.ts', tests: ['scoring/control/replica-lease.test.ts'] };
const activities = {
  file: 'scoring/control/replica-activities.ts',
  tests: ['scoring/control/replica-activities.test.ts'],
};
const setsTests = { tests: ['scoring/traffic/serving-sets.test.ts'] };
const sets = { file: 'scoring/traffic/serving-sets.ts', ...setsTests };
const pool = { file: 'scoring/bundles/pool.ts', ...setsTests };
const orders = { file: 'scoring/traffic/orders.ts', ...setsTests };
const cache = { file: 'scoring/control/bundle-cache.ts', tests: ['scoring/control/bundle-cache.test.ts'] };

/** @type {{ name: string, file: string, find: string, replace: string, tests: string[] }[]} */
export default [
  {
    ...follower,
    name: 'the generation check is gone: whatever the store offers is loaded',
    find: 'const order = comparePointers(held?.pointer ?? null, pointer);',
    replace: "const order: string = 'newer';",
  },
  {
    ...follower,
    name: 'an older pointer is passed over in silence',
    find: "if (held !== null && order === 'older') {",
    replace: 'if (false) {',
  },
  {
    ...follower,
    name: 'another bundle of the same generation is taken for the one that is live',
    find: "if (held !== null && order === 'equal' && pointer.manifest_sha256 !== held.pointer.manifest_sha256) {",
    replace: 'if (false) {',
  },
  {
    ...follower,
    name: 'a pointer that is gone counts as nothing published',
    find: 'if (held !== null || known > 0)\n        throw',
    replace: 'if (false)\n        throw',
  },
  {
    ...follower,
    name: 'double load: the generation that is live is loaded again',
    find: "if (held === null || order === 'newer')",
    replace: "if (held === null || order !== 'older')",
  },
  {
    ...rounds,
    name: 'double load: rounds overlap',
    find: 'if (running === null) return begin();',
    replace: 'if (queued === null) return begin();',
  },
  {
    ...rounds,
    name: 'double load: a call in the moment between two rounds begins a third',
    find: 'if (queued !== null) return queued;',
    replace: '',
  },
  {
    ...rounds,
    name: 'a caller joins the round that is running, which read the pointer before',
    find: 'if (running === null) return begin();',
    replace: 'if (running !== null) return running;\n    return begin();',
  },
  {
    ...rounds,
    name: 'lost wake-up: one that comes during a round is forgotten',
    find: 'if (!woken) {',
    replace: 'woken = false;\n    if (!woken) {',
  },
  {
    ...rounds,
    name: 'lost wake-up: the pause is not cut short',
    find: 'wake?.();',
    replace: '',
  },
  {
    ...rounds,
    name: 'a failed round ends the following',
    find: '} catch {\n        await pause(backoff',
    replace: '} catch {\n        return;\n        await pause(backoff',
  },
  {
    ...rounds,
    name: 'the backoff does not grow',
    find: 'await pause(backoff.next());',
    replace: 'await pause(backoff.next());\n        backoff.reset();',
  },
  {
    ...rounds,
    name: 'the backoff is not reset by a round that went well',
    find: 'const result = await next();\n        backoff.reset();',
    replace: 'const result = await next();',
  },
  {
    ...follower,
    name: 'a bundle answers before it is on disk',
    find: '(await keptOnDisk(cache, signed, fetched, log))',
    replace: '(void keptOnDisk(cache, signed, fetched, log), true)',
  },
  {
    ...follower,
    name: 'a disk that cannot be written stops the load',
    find: '} catch (failure) {\n    log.error(\n      { err: toFileError(failure',
    replace: '} catch (failure) {\n    throw failure;\n    log.error(\n      { err: toFileError(failure',
  },
  {
    ...follower,
    name: 'a round that began before a lease counts as caught up after it',
    find: '    caughtUpAtMs = startedAtMs;\n    seenAt = new Date();',
    replace: '    caughtUpAtMs = performance.now();\n    seenAt = new Date();',
  },
  {
    ...follower,
    name: 'a bundle that was opened during a stop goes live',
    find: 'if (rounds.stopped) {\n      await serving.drop(generation);',
    replace: 'if (false) {\n      await serving.drop(generation);',
  },
  {
    ...rounds,
    name: 'a round that was queued before a stop begins after it',
    find: "if (stopped) return Promise.reject(new SluiceError('Unreachable', 'this replica is shutting down'));",
    replace: '',
  },
  {
    ...rounds,
    name: 'stop does not wait for the round that is running',
    find: 'await running?.catch(() => undefined);',
    replace: '',
  },
  {
    ...told,
    name: 'a follower that recovered still reports its last error',
    find: '      error = null;\n',
    replace: '',
  },
  {
    ...lease,
    name: 'the lease is counted from the answer, not from the call',
    find: "if (outcome !== 'taken') renewedAtMs = askedAtMs;",
    replace: "if (outcome !== 'taken') renewedAtMs = performance.now();",
  },
  {
    ...lease,
    name: 'a lease that ran out by our own clock is still believed in',
    find: 'performance.now() - renewedAtMs > leaseMs;',
    replace: 'performance.now() - renewedAtMs > 2 * leaseMs;',
  },
  {
    ...lease,
    name: 'a lease that ran out is joined again in silence',
    find: '        options.onGained();\n',
    replace: '',
  },
  {
    ...lease,
    name: 'a join whose answer was lost passes for an unbroken lease',
    find: "if (outcome === 'lapsed' || (outcome === 'renewed' && joining)) {",
    replace: "if (outcome === 'lapsed') {",
  },
  {
    ...lease,
    name: 'a lease is known to be new before the database has it',
    find: '        await registry.join(id, state, leaseMs);\n        joining = false;\n        gainedAtMs = performance.now();',
    replace:
      '        gainedAtMs = performance.now();\n        await registry.join(id, state, leaseMs);\n        joining = false;',
  },
  {
    ...lease,
    name: 'what others reported is read after our own record replaced it',
    find: 'newestGeneration = await registry.newestGeneration(state.model, state.environment);\n        await registry.join(id, state, leaseMs);',
    replace:
      'await registry.join(id, state, leaseMs);\n        newestGeneration = await registry.newestGeneration(state.model, state.environment);',
  },
  {
    ...lease,
    name: 'another process with the same id is thrown out',
    find: "const outcome = gained === 0 ? 'lapsed' : await registry.renew(id, state, leaseMs);",
    replace:
      "const answer = gained === 0 ? 'lapsed' : await registry.renew(id, state, leaseMs);\n      const outcome: string = answer === 'taken' ? 'lapsed' : answer;",
  },
  {
    ...lease,
    name: 'a lease that another process took is still believed in',
    find: "known = outcome === 'taken' ? 'taken' : 'joined';",
    replace: "known = 'joined';",
  },
  {
    ...lease,
    name: 'renewals overlap',
    find: '(round = round.then(() => (stopped ? undefined : renew())));',
    replace: '(round = Promise.all([round, stopped ? undefined : renew()]).then(() => undefined));',
  },
  {
    ...lease,
    name: 'a new generation is not announced',
    find: 'announce: next,',
    replace: 'announce: () => Promise.resolve(),',
  },
  {
    ...lease,
    name: 'a renewal that failed is the last',
    find: "      known = 'unreachable';\n",
    replace: "      known = 'unreachable';\n      stopped = true;\n",
  },
  {
    ...lease,
    name: 'renewals go on after leaving',
    find: 'if (!stopped) timer = setTimeout',
    replace: 'timer = setTimeout',
  },
  {
    ...lease,
    name: 'a renewal that was queued before leaving joins after it',
    find: '(stopped ? undefined : renew())',
    replace: 'renew()',
  },
  {
    ...lease,
    name: 'leaving does not wait for the renewal under way, which puts the record back',
    find: '      await round;\n',
    replace: '',
  },
  {
    ...activities,
    name: 'a newer generation than the one asked for gets a receipt',
    find: 'if (generation > asked.generation) {',
    replace: 'if (false) {',
  },
  {
    ...activities,
    name: 'an older generation than the one asked for gets a receipt',
    find: 'held.pointer.generation < asked.generation) return null;',
    replace: 'held.pointer.generation < asked.generation - 1) return null;',
  },
  {
    ...activities,
    name: 'another bundle of the same generation gets a receipt',
    find: 'if (version !== asked.version || manifest_sha256 !== asked.manifestSha256) {',
    replace: 'if (version !== asked.version) {',
  },
  {
    ...activities,
    name: 'an order is answered without a look at the pointer',
    find: '      await deps.follower.catchUp();\n',
    replace: '',
  },
  {
    ...activities,
    name: 'an order for another environment is followed',
    find: 'asked.model !== deps.model || asked.environment !== deps.environment',
    replace: 'asked.model !== deps.model',
  },
  {
    ...sets,
    name: 'a set is let go of under the hands of who works with it',
    find: 'if (slot.uses === 0) {\n      letGo(slot.set);',
    replace: 'if (true) {\n      letGo(slot.set);',
  },
  {
    ...sets,
    name: 'a set that was replaced while at work is never let go of',
    find: 'if (slot.uses === 0) slot.onUnused?.();',
    replace: '',
  },
  {
    ...sets,
    name: 'a set is let go of when the first of two has ended its work',
    find: 'if (slot.uses === 0) slot.onUnused?.();',
    replace: 'slot.onUnused?.();',
  },
  {
    ...sets,
    name: 'the former set is not let go of',
    find: 'if (former !== null) retire(former);',
    replace: '',
  },
  {
    ...sets,
    name: 'it does not wait for the works under way',
    find: 'while (retiring.size > 0) await Promise.all(retiring);',
    replace: '',
  },
  {
    ...pool,
    name: 'a bundle that is open already is opened again',
    find: 'const entry = entries.get(manifestSha256) ?? { opening',
    replace: 'const entry = { opening',
  },
  {
    ...pool,
    name: 'a bundle is closed though another set has it',
    find: 'if (entry.uses > 0) return;',
    replace: '',
  },
  {
    ...pool,
    name: 'a failed opening is kept',
    find: 'if (entries.get(manifestSha256) === entry) entries.delete(manifestSha256);',
    replace: '',
  },
  {
    ...pool,
    name: 'it does not wait for closings',
    find: 'while (closing.size > 0) await Promise.all(closing);',
    replace: '',
  },
  {
    ...orders,
    name: 'the champion stays open when the candidate cannot be opened',
    find: 'pool.release(first);',
    replace: '',
  },
  {
    ...orders,
    name: 'what was dropped stays open',
    find: 'for (const bundle of bundlesOf(take(generation))) pool.release(bundle);',
    replace: 'take(generation);',
  },
  {
    ...cache,
    name: 'a bundle is kept in the place of the one that is read',
    find: 'const name = `generation-${pointer.generation}-${randomUUID().slice(0, 8)}`;',
    replace: "const name = 'generation-1';",
  },
  {
    ...cache,
    name: 'the link is removed and made anew, not replaced',
    find: 'await rename(link, current);',
    replace: 'await rm(current, { force: true });\n      await rename(link, current);',
  },
  {
    ...cache,
    name: 'the new bundle is linked before it is written whole',
    find: '      await writeFile(join(target, POINTER_FILE), bytes);\n      const link = join(directory, `.${name}`);\n      await symlink(name, link);\n      await rename(link, current);\n',
    replace:
      '      const link = join(directory, `.${name}`);\n      await symlink(name, link);\n      await rename(link, current);\n      await writeFile(join(target, POINTER_FILE), bytes);\n',
  },
  {
    ...cache,
    name: 'the old bundle is removed before the new one is linked',
    find: '      await symlink(name, link);\n',
    replace:
      '      for (const entry of await readdir(directory)) if (entry !== name) await rm(join(directory, entry), { recursive: true });\n      await symlink(name, link);\n',
  },
  {
    ...cache,
    name: 'what a dead process left is never removed',
    find: 'entry !== name && /^\\.?generation-/.test(entry)',
    replace: 'entry !== name && /^\\.generation-/.test(entry)',
  },
  {
    ...cache,
    name: 'a bundle on disk need not be the one that the pointer names',
    find: '        signed.pointer,\n',
    replace: '        null,\n',
  },
];
