import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeUtf8 } from './decode.js';
import { readJson } from './read.js';

const suite = new URL('../../test/corpora/json-test-suite/', import.meta.url);
const files = readdirSync(suite).filter((name) => name.endsWith('.json'));
const read = (bytes: Uint8Array): ReturnType<typeof readJson> | null => {
  const decoded = decodeUtf8(bytes);
  return 'text' in decoded ? readJson(decoded.text) : null;
};

describe('readJson', () => {
  it.each(files.filter((name) => name.startsWith('n_')))('refuses %s with a position', (name) => {
    const json = read(readFileSync(new URL(encodeURIComponent(name), suite)));
    if (json === null) return;
    expect(json.document).toBeUndefined();
    expect(json.findings).toHaveLength(1);
    expect(json.findings[0]).toMatchObject({ line: expect.any(Number), column: expect.any(Number) });
  });

  it.each(files.filter((name) => name.startsWith('y_')))('accepts %s, but for keys given twice', (name) => {
    const text = readFileSync(new URL(encodeURIComponent(name), suite), 'utf8');
    const { document, findings } = readJson(text);
    expect(document).toEqual(JSON.parse(text));
    expect(findings.length > 0).toBe(name.includes('duplicated_key'));
  });

  it('says where', () => {
    const text = '{\n  "a": {"x": 1,\n    "x": 2},\n  "b/c": [10,\n 20],\n  "__proto__": 3\n}';
    const json = readJson(text);
    expect(json.findings).toEqual([
      { line: 3, column: 5, path: '/a/x', message: 'the key is there already, in line 2' },
    ]);
    expect(json.positionOf('/b~1c/1')).toEqual({ line: 5, column: 2 });
    expect(json.positionOf('/b~1c/7')).toEqual({ line: 4, column: 3 });
    expect(json.positionOf('/a/nothing')).toEqual({ line: 2, column: 3 });
    expect(json.membersOf('').map(({ key }) => key)).toEqual(['a', 'b/c', '__proto__']);
    expect(json.elementsOf('/b~1c').map(({ value }) => value)).toEqual([10, 20]);
    expect(readJson('{\n "a": 1,\n}').findings).toEqual([
      { line: 3, column: 1, path: '', message: 'is not JSON: property name expected' },
    ]);
  });

  it('reads what JSON.parse reads, as JSON.parse reads it', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), fc.constantFrom(0, 2), (value, indent) => {
        const json = readJson(JSON.stringify(value, null, indent));
        expect(json.findings).toEqual([]);
        expect(JSON.stringify(json.document)).toBe(JSON.stringify(value));
      }),
    );
  });
});

describe('decodeUtf8', () => {
  it.each([
    ['UTF-8 with a byte order mark', Buffer.from('\ufeff{}', 'utf8'), 1, 1, 'byte order mark'],
    ['UTF-16, little end first', Buffer.from('\ufeff{}', 'utf16le'), 1, 1, 'UTF-16'],
    ['UTF-16 without a mark', Buffer.from('{}', 'utf16le'), 1, 1, 'UTF-16'],
    ['UTF-16, big end first', Buffer.from('{}', 'utf16le').swap16(), 1, 1, 'UTF-16'],
    ['Latin-1', Buffer.from('{\n "caf\u00e9": 1}', 'latin1'), 2, 6, 'not UTF-8'],
    ['a sequence cut short', Buffer.from([0x7b, 0xe2, 0x82]), 1, 2, 'not UTF-8'],
  ])('refuses %s', (_name, bytes, line, column, message) => {
    const result = decodeUtf8(bytes);
    expect(result).toMatchObject({ finding: { line, column, message: expect.stringContaining(message) } });
  });

  it('gives back any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        fc.pre(!text.startsWith('\ufeff') && !text.slice(0, 2).includes('\0'));
        expect(decodeUtf8(Buffer.from(text, 'utf8'))).toEqual({ text });
      }),
    );
  });
});
