import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Interner } from './interner.js';

it('gives each text one number, through any growth, and gives the text back', () => {
  const text = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 12 }), fc.integer({ max: 3000, min: 0 }).map(String));
  fc.assert(
    fc.property(fc.array(text, { maxLength: 3000 }), (texts) => {
      const interner = new Interner();
      const ids = new Map<string, number>();
      let missing = -1;
      for (const one of texts) {
        if (one === '7') {
          // A text that is not there has a number too, and is none of the texts.
          missing = interner.idOfNull();
          if (!ids.has('null')) ids.set('null', missing);
          continue;
        }
        const bytes = Buffer.from(`>${one}<`, 'utf8');
        const id = interner.idOf(bytes, 1, bytes.length - 2);
        expect(id).toBe(ids.get(one) ?? ids.size);
        ids.set(one, id);
      }
      for (const [one, id] of ids) expect(interner.textOf(id)).toBe(id === missing ? null : one);
    }),
    { numRuns: 20 },
  );
});
