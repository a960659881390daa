import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapeMarkdown, inlineCode, link, markdownTable } from './escape.js';

/** What reshapes a page: each alone, among other text, and at the beginning of a line. */
const hostile = fc.string({
  unit: fc.constantFrom(
    '|',
    '#',
    '\n',
    '\r',
    '\u2028',
    '`',
    '*',
    '<',
    '>',
    '[',
    ']',
    '(',
    '\\',
    '-',
    '=',
    '1',
    '.',
    ' ',
    'a',
  ),
});

describe('text from outside in Markdown', () => {
  it('stays one line, in which nothing begins a cell, a tag, emphasis or a link', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const escaped = escapeMarkdown(text);
        expect(escaped).not.toMatch(/[\n\r\u2028<>]/);
        expect(escaped.replaceAll(/\\./g, '')).not.toMatch(/[`*_[\]|~\\]/);
        expect(escaped).not.toMatch(/^(#{1,6}|[-+=]+|\d+[.)])(\s|$)/);
      }),
    );
  });

  it('keeps what is no markup as it is', () => {
    for (const plain of ['-0.5', '10 % of #12', '1.5', 'a = b', '2025-01-01'])
      expect(escapeMarkdown(plain)).toBe(plain);
    expect(escapeMarkdown('# now')).toBe('\\# now');
    expect(escapeMarkdown('1. first')).toBe('1\\. first');
    expect(escapeMarkdown('---')).toBe('\\---');
  });

  it('cannot leave inline code', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const code = inlineCode(text);
        expect(code).not.toMatch(/[\n\r\u2028]/);
        const fence = /^`+/.exec(code)?.[0] ?? '';
        const inside = code.slice(fence.length, -fence.length);
        expect(code).toBe(`${fence}${inside}${fence}`);
        for (const run of inside.match(/`+/g) ?? []) expect(run.length).not.toBe(fence.length);
        expect(inside).not.toMatch(/^`|`$/);
      }),
    );
    expect(inlineCode('a `b` c')).toBe('`` a `b` c ``');
  });

  it('makes as many cells as the table has titles', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(hostile, hostile), { maxLength: 4 }), (rows) => {
        const lines = markdownTable(['a', 'b'], rows).split('\n');
        expect(lines).toHaveLength(rows.length + 2);
        for (const line of lines) expect(line.replaceAll(/\\./g, '').split('|')).toHaveLength(4);
      }),
    );
  });

  it('links to web addresses only, and nothing ends such a link early', () => {
    expect(link('a [b]', 'http://h:1/#/runs/x')).toBe('[a \\[b\\]](<http://h:1/#/runs/x>)');
    expect(link('a', 'javascript:alert(1)')).toBe('a `javascript:alert(1)`');
    fc.assert(
      fc.property(hostile, (text) => {
        const url = /\(<(.*)>\)$/s.exec(link('a', `https://h/${text}`))?.[1];
        expect(url).toMatch(/^https:\/\/h\/[^<>\\\s]*$/);
      }),
    );
  });
});
