/** more different values than this are no dictionary */
const MOST = 2_048;
const SLOTS = MOST * 4;
/** after so many rows, a column of different values nearly everywhere is given up */
const TRIAL = 256;

/** A column's few different numbers, as their bits, and for each row its number among them. */
export interface NumberDictionary {
  words: Int32Array;
  ids: Int32Array;
  size: number;
}

/**
 * Finds the different values of numbers of 32 bits.
 * @returns null where there are too many for a dictionary to be shorter
 */
export function numberDictionary(words: Int32Array): NumberDictionary | null {
  const slots = new Int32Array(SLOTS);
  const different = new Int32Array(MOST);
  const ids = new Int32Array(words.length);
  let size = 0;
  for (let row = 0; row < words.length; row++) {
    const word = words[row] ?? 0;
    const hash = Math.imul(word ^ (word >>> 15), 0x9e3779b1);
    let slot = (hash ^ (hash >>> 16)) & (SLOTS - 1);
    for (; ; slot = (slot + 1) & (SLOTS - 1)) {
      const id = (slots[slot] ?? 0) - 1;
      if (id < 0 || different[id] === word) break;
    }
    let id = (slots[slot] ?? 0) - 1;
    if (id < 0) {
      if (size === MOST || (row === TRIAL && size > TRIAL / 2)) return null;
      id = size++;
      different[id] = word;
      slots[slot] = size;
    }
    ids[row] = id;
  }
  return size * 4 > words.length ? null : { words: different.subarray(0, size), ids, size };
}
