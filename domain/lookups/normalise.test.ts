import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normaliseText } from './normalise.js';

const naughty = JSON.parse(readFileSync(new URL('../../test/corpora/blns.json', import.meta.url), 'utf8')) as string[];

describe('normaliseText', () => {
  it.each([
    ['Kihn Inc', 'kihn inc'],
    ['  Kihn \t  Inc\n', 'kihn inc'],
    ['Kihn\u00a0Inc\u3000', 'kihn inc'],
    ['ＫＩＨＮ ｉｎｃ', 'kihn inc'],
    ['Straße', 'strasse'],
    ['STRASSE', 'strasse'],
    ['ΟΔΟΣ', 'οδος'],
    ['οδοσ', 'οδος'],
    ['ﬁsh', 'fish'],
    ['Cafe\u0301', 'café'],
    ['', ''],
    [' \u2003 ', ''],
  ])('%j → %j', (text, expected) => expect(normaliseText(text)).toBe(expected));

  it('gives a text that it leaves as it is, whatever it was given', () => {
    const settled = (text: string): void => {
      expect(normaliseText(normaliseText(text))).toBe(normaliseText(text));
    };
    naughty.forEach(settled);
    fc.assert(fc.property(fc.string({ unit: 'binary' }), settled));
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), settled));
  });

  it('does not see case, compatibility forms or white space', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme-ascii' }),
        fc.constantFrom(' ', '\t', '\u00a0', ' \n '),
        (text, blank) => {
          expect(normaliseText(text.toUpperCase())).toBe(normaliseText(text));
          expect(normaliseText(text.normalize('NFKD'))).toBe(normaliseText(text));
          expect(normaliseText(`${blank}${text.replaceAll(' ', blank)}${blank}`)).toBe(normaliseText(text));
        },
      ),
    );
  });
});
