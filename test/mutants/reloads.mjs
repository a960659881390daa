const pinned = { file: 'scoring/control/pinned.ts', tests: ['scoring/control/pinned.test.ts'] };
const reader = { file: 'scoring/control/directory-reader.ts', tests: ['scoring/control/directory-reader.test.ts'] };
const seats = { file: 'scoring/fleet/seats.ts', tests: ['scoring/fleet/fleet.test.ts'] };
const fleet = { file: 'scoring/fleet/fleet.ts', tests: ['scoring/fleet/fleet.test.ts'] };
const stale = {
  file: 'scoring/control/pointer-follower.ts',
  tests: ['scoring/control/restart.test.ts', 'scoring/control/pointer-follower.test.ts'],
};

/** @type {{ name: string, file: string, find: string, replace: string, tests: string[] }[]} */
export default [
  {
    ...pinned,
    name: 'a directory is loaded at first sight',
    find: 'if (!isSame || !isWorthwhile(seen)) return;',
    replace: 'if (!isWorthwhile(seen)) return;',
  },
  {
    ...pinned,
    name: 'what is served already is loaded again at every look',
    find: 'if (seen === held?.live.manifest_sha256) return told.error() !== null;',
    replace: '',
  },
  {
    ...pinned,
    name: 'a directory that is back as it was still counts as refused',
    find: 'return told.error() !== null;',
    replace: 'return false;',
  },
  {
    ...pinned,
    name: 'what was refused is never tried again while its manifest is the same',
    find: 'performance.now() + backoff.next()',
    replace: 'Infinity',
  },
  {
    ...pinned,
    name: 'what was refused is tried again at every look',
    find: 'performance.now() + backoff.next()',
    replace: '0',
  },
  {
    ...pinned,
    name: 'a bundle that does not score as training did is tried again and again',
    find: 'return seen !== unservable;',
    replace: 'return true;',
  },
  {
    ...pinned,
    name: 'a bundle that was prepared during a stop goes live',
    find: 'if (rounds.stopped) {',
    replace: 'if (false) {',
  },
  {
    ...pinned,
    name: 'a bundle that was refused for good is not told of when it is put there again',
    find: "      unservable = null;\n      return { outcome: 'current'",
    replace: "      return { outcome: 'current'",
  },
  {
    ...reader,
    name: 'a mount that hangs is read again and again',
    find: 'if (hanging > 0) throw hangs();',
    replace: '',
  },
  {
    ...reader,
    name: 'a mount that hung is never read again',
    find: '.finally(() => (hanging -= 1))',
    replace: '',
  },
  {
    ...reader,
    name: 'a link is followed for each file',
    find: 'readFile(join(root, name), limit)',
    replace: 'readFile(join(directory, name), limit)',
  },
  {
    ...seats,
    name: 'a set is dropped while another process still prepares it',
    find: 'const outcomes = await Promise.allSettled(seats.map((seat) => inSeat(seat, work)));',
    replace:
      'const outcomes: PromiseSettledResult<void>[] = [];\n    await Promise.all(seats.map((seat) => inSeat(seat, work)));',
  },
  {
    ...fleet,
    name: 'what one process refused stays prepared in the others',
    find: '        await drop(order.origin.generation);\n',
    replace: '',
  },
  {
    ...seats,
    name: 'an order fails with the process that ends under it',
    find: 'if (!over) throw error;',
    replace: 'throw error;',
  },
  {
    ...fleet,
    name: 'a successor listens before it serves what is live',
    find: '      await bringUp(place);\n      if (port !== null) valueOf(await place.calls.listen(port));\n',
    replace: '      if (port !== null) valueOf(await place.calls.listen(port));\n      await bringUp(place);\n',
  },
  {
    ...stale,
    name: 'a start from the disk does not know since when it is stale',
    find: '        seenAt = await cache.lastSeen();\n',
    replace: '',
  },
  {
    ...stale,
    name: 'when the pointer was seen is not kept',
    find: '    if (isKept) await cache.seen(seenAt);\n',
    replace: '',
  },
  {
    ...stale,
    name: 'a pointer that could not be kept is vouched for on disk',
    find: 'if (isKept) await cache.seen(seenAt);',
    replace: 'await cache.seen(seenAt);',
  },
];
