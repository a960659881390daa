import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { FeatureRegistry, OperationTypeSynonyms } from '../../schemas/types.js';
import { compileFeatures } from '../features/compile.js';
import { checkSynonyms } from './check.js';
import { compareSynonyms, spellings } from './compare.js';
import { derivedFrom, knownCanonicalNames, translatedField } from './known.js';

const folder = new URL('../../models/ulb_gbdt/', import.meta.url);
const registry = parse(readFileSync(new URL('features.yaml', folder), 'utf8')) as FeatureRegistry;
const modelFile = readFileSync(new URL('operation_type_synonyms.json', folder));
const known = new Set(['travel', 'home', 'food_dining']);
const violationsOf = (document: unknown): { path: string; message: string }[] => {
  const { canonical, synonyms } = (document ?? {}) as { canonical?: unknown; synonyms?: Record<string, unknown> };
  return [
    ...(Array.isArray(canonical) ? [] : [{ path: '/canonical', message: 'must be array' }]),
    ...Object.entries(synonyms ?? {}).flatMap(([key, value]) =>
      typeof value === 'string' ? [] : [{ path: `/synonyms/${key}`, message: 'must be string' }],
    ),
  ];
};
const check = (
  text: string | Buffer,
  rules: Parameters<typeof checkSynonyms>[1] = { known, violationsOf },
): ReturnType<typeof checkSynonyms> => checkSynonyms(typeof text === 'string' ? Buffer.from(text) : text, rules);
/** a file with these lines of synonyms, which begin in line 4 */
const withLines = (...lines: string[]): string =>
  `{\n  "canonical": ["travel", "home"],\n  "synonyms": {\n${lines.map((line) => `    ${line}`).join(',\n')}\n  }\n}\n`;

describe('checkSynonyms', () => {
  it('takes the model folder’s own file', () => {
    const { findings, document, notes } = check(modelFile, {
      known: knownCanonicalNames(registry, 'operation_type_synonyms')!,
      violationsOf,
    });
    expect(findings).toEqual([]);
    expect(document).toEqual(JSON.parse(modelFile.toString('utf8')));
    expect(notes).toEqual([]);
  });

  it('normalises spellings and says which names are left out', () => {
    const { document, notes } = check(withLines('"  Foo\\tBAR ": "travel"', '"Ｂａｒ": "home"'));
    expect(document).toEqual({ canonical: ['travel', 'home'], synonyms: { bar: 'home', 'foo bar': 'travel' } });
    expect(notes).toEqual(['the model knows the canonical name "food_dining", and the file leaves it out']);
  });

  it.each<[string, string, { line: number; column: number; path: string; message: RegExp }[]]>([
    [
      'a key twice',
      withLines('"a": "travel"', '"a": "travel"'),
      [{ line: 5, column: 5, path: '/synonyms/a', message: /already, in line 4/ }],
    ],
    [
      'a key twice for two names',
      withLines('"a": "travel"', '"a": "home"'),
      [{ line: 5, column: 5, path: '/synonyms/a', message: /already, in line 4/ }],
    ],
    [
      'a duplicate once normalised',
      withLines('"Air Plane": "travel"', '"b": "home"', '"air  plane": "travel"'),
      [{ line: 6, column: 5, path: '/synonyms/air  plane', message: /^duplicate: .*"Air Plane" of line 4/ }],
    ],
    [
      'a conflict once normalised',
      withLines('"Air Plane": "travel"', '"AIR PLANE": "home"'),
      [
        {
          line: 5,
          column: 5,
          path: '/synonyms/AIR PLANE',
          message: /^conflict: .*"Air Plane" of line 4, which stands for "travel"/,
        },
      ],
    ],
    [
      'a canonical name that stands for another',
      withLines('"Travel": "home"'),
      [
        {
          line: 4,
          column: 5,
          path: '/synonyms/Travel',
          message: /^conflict: this is the canonical name "travel" itself \(line 2\)/,
        },
      ],
    ],
    [
      'a circle of two',
      withLines('"a": "b"', '"b": "a"'),
      [{ line: 4, column: 5, path: '/synonyms/a', message: /^cycle: "a" → "b" → "a" \(lines 4, 5\)/ }],
    ],
    [
      'a circle of one',
      withLines('"a": "a"'),
      [{ line: 4, column: 5, path: '/synonyms/a', message: /^cycle: "a" → "a"/ }],
    ],
    [
      'a circle of three, and one that leads into it',
      withLines('"x": "a"', '"a": "B"', '"b": "c"', '"c": "a"'),
      [
        { line: 4, column: 5, path: '/synonyms/x', message: /leads to "a", which is not among the canonical names/ },
        { line: 5, column: 5, path: '/synonyms/a', message: /^cycle: "a" → "b" → "c" → "a" \(lines 5, 6, 7\)/ },
      ],
    ],
    [
      'a spelling of a spelling',
      withLines('"a": "b"', '"b": "home"'),
      [{ line: 4, column: 5, path: '/synonyms/a', message: /itself a spelling of "home": write "home"/ }],
    ],
    [
      'a target that is nothing',
      withLines('"a": "nowhere"'),
      [{ line: 4, column: 5, path: '/synonyms/a', message: /"nowhere", which is not among/ }],
    ],
    [
      'a target in another spelling of a canonical name',
      withLines('"a": "Travel"'),
      [{ line: 4, column: 5, path: '/synonyms/a', message: /"Travel", which is not among/ }],
    ],
    ['an empty spelling', withLines('" ": "home"'), [{ line: 4, column: 5, path: '/synonyms/ ', message: /empty/ }]],
    [
      'a slash in a spelling',
      withLines('"a/b~c": "x"'),
      [{ line: 4, column: 5, path: '/synonyms/a~1b~0c', message: /not among/ }],
    ],
    [
      'a name that the model does not know',
      '{"canonical": ["travel",\n "crypto"], "synonyms": {}}',
      [
        {
          line: 2,
          column: 2,
          path: '/canonical/1',
          message: /does not know the canonical name "crypto"; it knows travel, home, food_dining/,
        },
      ],
    ],
    [
      'two names that are one',
      '{"canonical": ["travel", "Travel"], "synonyms": {}}',
      [
        { line: 1, column: 26, path: '/canonical/1', message: /does not know/ },
        { line: 1, column: 26, path: '/canonical/1', message: /one name once normalised/ },
      ],
    ],
    ['a wrong type', withLines('"a": 1'), [{ line: 4, column: 5, path: '/synonyms/a', message: /must be string/ }]],
    ['no object', '[]', [{ line: 1, column: 1, path: '/canonical', message: /must be array/ }]],
    ['a comment', '{\n// no\n}', [{ line: 2, column: 1, path: '', message: /not JSON/ }]],
    [
      'a comma too many',
      withLines('"a": "home",'),
      [{ line: 5, column: 3, path: '', message: /not JSON: property name expected/ }],
    ],
    ['nothing', '', [{ line: 1, column: 1, path: '', message: /not JSON/ }]],
  ])('finds %s', (_what, text, expected) => {
    const { findings, document } = check(text);
    expect(findings).toEqual(expected.map((one) => ({ ...one, message: expect.stringMatching(one.message) })));
    expect(document).toBeNull();
  });

  it.each([
    ['UTF-16', Buffer.from('\ufeff{}', 'utf16le'), 'UTF-16'],
    ['a byte order mark', Buffer.from('\ufeff{}'), 'byte order mark'],
    ['Latin-1', Buffer.from(withLines('"caf\u00e9": "home"'), 'latin1'), 'not UTF-8'],
  ])('finds the wrong encoding: %s', (_what, bytes, message) => {
    expect(check(bytes).findings).toEqual([expect.objectContaining({ message: expect.stringContaining(message) })]);
  });

  it('tells everything that is wrong, from top to bottom', () => {
    const text = withLines('"a": "b"', '"b": "a"', '"c": "nowhere"', '"Travel": "home"');
    expect(check(text).findings.map(({ line }) => line)).toEqual([4, 6, 7]);
  });

  it('stops telling after 100, however long the way', () => {
    const chain = Array.from({ length: 5_000 }, (_, index) => `"s${index}": "s${index + 1}"`);
    const { findings } = check(withLines(...chain));
    expect(findings).toHaveLength(101);
    expect(findings.at(-1)?.message).toBe('and more: these are the first 100');
    const circle = [...chain, '"s5000": "s0"'];
    expect(check(withLines(...circle)).findings).toEqual([
      expect.objectContaining({ line: 4, message: expect.stringMatching(/"s9" → 4991 more → "s0" \(lines 4, 5/) }),
    ]);
    const wrong = Array.from({ length: 5_000 }, (_, index) => `"s${index}": ${index}`);
    expect(check(withLines(...wrong)).findings).toHaveLength(100);
    expect(check(withLines(`"${'x'.repeat(5000)}": "${'y'.repeat(5000)}"`)).findings[0]?.message.length).toBeLessThan(
      200,
    );
  });

  it('accepts what the features can compile, and what it accepts they read alike', () => {
    const word = fc.constantFrom('a', 'B', ' b', 'c', 'travel', 'home', 'Home', '__proto__', '');
    fc.assert(
      fc.property(fc.array(fc.tuple(word, word), { maxLength: 6 }), (pairs) => {
        const file = { canonical: ['travel', 'home'], synonyms: Object.fromEntries(pairs) };
        const { document, findings } = check(JSON.stringify(file));
        expect(document === null).toBe(findings.length > 0);
        if (document === null) return;
        const derived = registry.derived.filter(({ op }) => op.kind === 'canonical');
        const read = compileFeatures({ derived, features: [] }, { operation_type_synonyms: document });
        for (const [spelling, name] of Object.entries(file.synonyms))
          expect(read.compute({ operation_type: spelling }).derived['operation_type_canonical']).toBe(name);
      }),
    );
  });
});

describe('what the registry says of a table', () => {
  it('the names that the model knows, the field, the derived value', () => {
    expect(knownCanonicalNames(registry, 'operation_type_synonyms')?.size).toBe(14);
    expect(translatedField(registry, 'operation_type_synonyms')).toBe('operation_type');
    expect(derivedFrom(registry, 'operation_type_synonyms')).toEqual(['operation_type_canonical']);
  });

  it('follows a value that is normalised first, and says when there is none', () => {
    const derived = [
      { name: 'clean', logic: '', op: { kind: 'normalise', input: 'raw' }, null_policy: { on_null: 'keep' } },
      {
        name: 'kind',
        logic: '',
        op: { kind: 'canonical', input: 'clean', lookup: 'l' },
        null_policy: { on_null: 'keep' },
      },
    ] as FeatureRegistry['derived'];
    expect(translatedField({ derived }, 'l')).toBe('raw');
    expect(translatedField({ derived }, 'other')).toBeNull();
    expect(knownCanonicalNames({ derived, features: [] }, 'l')).toBeNull();
  });
});

describe('compareSynonyms', () => {
  const live: OperationTypeSynonyms = { canonical: ['a', 'b'], synonyms: { x: 'a', y: 'b' } };

  it('counts what came, went and turned', () => {
    const made: OperationTypeSynonyms = { canonical: ['a', 'b'], synonyms: { X: 'b', z: 'b', w: 'b' } };
    expect(compareSynonyms(made, live)).toEqual({
      size: { live: 4, own: 5 },
      changed: { keys: 4, of: 6 },
      move: null,
    });
    expect(compareSynonyms(live, live).changed.keys).toBe(0);
    expect(spellings(live).get('a')).toBe('a');
  });
});
