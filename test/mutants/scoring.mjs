const follower = { file: 'scoring/pointer-follower.ts', tests: ['scoring/pointer-follower.test.ts'] };

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
    find: 'if (held !== null)\n        throw',
    replace: 'if (false)\n        throw',
  },
  {
    ...follower,
    name: 'double load: the generation that is live is loaded again',
    find: "if (held === null || order === 'newer')",
    replace: "if (held === null || order !== 'older')",
  },
  {
    ...follower,
    name: 'double load: rounds overlap',
    find: 'if (running === null) return begin();',
    replace: 'if (queued === null) return begin();',
  },
  {
    ...follower,
    name: 'double load: a call in the moment between two rounds begins a third',
    find: 'if (queued !== null) return queued;',
    replace: '',
  },
  {
    ...follower,
    name: 'a caller joins the round that is running, which read the pointer before',
    find: 'if (running === null) return begin();',
    replace: 'if (running !== null) return running;\n    return begin();',
  },
  {
    ...follower,
    name: 'lost wake-up: one that comes during a round is forgotten',
    find: 'if (!woken) {',
    replace: 'woken = false;\n    if (!woken) {',
  },
  {
    ...follower,
    name: 'lost wake-up: the pause is not cut short',
    find: 'wake?.();',
    replace: '',
  },
  {
    ...follower,
    name: 'a failed round ends the following',
    find: '} catch {\n        // Spread',
    replace: '} catch {\n        return;\n        // Spread',
  },
  {
    ...follower,
    name: 'the backoff does not grow',
    find: 'backoffMs = Math.min(backoffMs * 2, MAX_BACKOFF_MS);',
    replace: '',
  },
  {
    ...follower,
    name: 'the backoff is not reset by a round that went well',
    find: 'const { outcome } = await catchUp();\n        backoffMs = FIRST_BACKOFF_MS;',
    replace: 'const { outcome } = await catchUp();',
  },
  {
    ...follower,
    name: 'a bundle answers before it is on disk',
    find: 'await cache.write(signed, fetched.raw)',
    replace: 'void cache.write(signed, fetched.raw)',
  },
  {
    ...follower,
    name: 'a disk that cannot be written stops the load',
    find: '.catch((failure: unknown) => {\n        log.error(\n          { err: failure },',
    replace: '.catch((failure: unknown) => {\n        throw failure;\n        log.error(\n          { err: failure },',
  },
  {
    ...follower,
    name: 'a round that began before a lease counts as caught up after it',
    find: '    caughtUpAtMs = startedAtMs;\n    if (held === null) throw',
    replace: '    caughtUpAtMs = performance.now();\n    if (held === null) throw',
  },
  {
    ...follower,
    name: 'a bundle that was opened during a stop goes live',
    find: 'if (stopped) {\n      await live.close();',
    replace: 'if (false) {\n      await live.close();',
  },
  {
    ...follower,
    name: 'a round that was queued before a stop begins after it',
    find: "if (stopped) return Promise.reject(new SluiceError('Unreachable', 'this replica is shutting down'));",
    replace: '',
  },
  {
    ...follower,
    name: 'stop does not wait for the round that is running',
    find: 'await running?.catch(() => undefined);',
    replace: '',
  },
  {
    ...follower,
    name: 'a follower that recovered still reports its last error',
    find: '      error = null;\n',
    replace: '',
  },
];
