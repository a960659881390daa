import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { openCsv } from './csv.js';
import { linesOf, type Line } from './lines.js';
import { recordsOf, type CsvRecord } from './records.js';

let directory: string;
beforeAll(async () => void (directory = await mkdtemp(join(tmpdir(), 'sluice-csv-'))));
afterAll(() => rm(directory, { recursive: true, force: true }));

async function read(bytes: string | Buffer): Promise<{ header: string[]; records: CsvRecord[] }> {
  const path = join(directory, 'file.csv');
  await writeFile(path, bytes);
  const { header, records } = await openCsv(path);
  const found: CsvRecord[] = [];
  for await (const batch of records) found.push(...batch);
  return { header, records: found };
}

describe('openCsv', () => {
  it('reads quoted fields, Windows line ends and a byte order mark', async () => {
    expect(await read('\uFEFFa,"b"\r\n1,"x, ""y"""\r\n\r\n2,\r\n,"ü"')).toEqual({
      header: ['a', 'b'],
      records: [
        { line: 2, values: ['1', 'x, "y"'] },
        { line: 4, values: ['2', ''] },
        { line: 5, values: ['', 'ü'] },
      ],
    });
  });

  it('reads gzip, whatever the name', async () => {
    expect((await read(gzipSync('a\n1\n'))).records).toEqual([{ line: 2, values: ['1'] }]);
  });

  it.each([
    ['3,"4"x', 'text after a closing quote'],
    ['3,4"x', 'a quote inside an unquoted field'],
    ['3,"4', 'a quote that is not closed'],
    [`3,${'x'.repeat(70_000)}`, 'a line of more than 64 KB'],
    [`3,${'x'.repeat(700_000)}`, 'a line of more than 64 KB'],
  ])('goes on after a record that cannot be parsed, and says why and where', async (row, why) => {
    expect((await read(`a,b\n1,2\n${row}\n5,6\n7,"8"\n`)).records).toEqual([
      { line: 2, values: ['1', '2'] },
      { line: 3, malformed: `malformed CSV: ${why}` },
      { line: 4, values: ['5', '6'] },
      { line: 5, values: ['7', '8'] },
    ]);
  });

  it('reads a quoted field over several lines, as RFC 4180 has it, and counts lines as the file has them', async () => {
    expect((await read('a,b\n1,"x\r\n""y"", z"\n\n2,"\n"\r\n3,4\n')).records).toEqual([
      { line: 2, values: ['1', 'x\r\n"y", z'] },
      { line: 5, values: ['2', '\n'] },
      { line: 7, values: ['3', '4'] },
    ]);
  });

  it('reads whatever fields were written, wherever the bytes are cut', async () => {
    const field = fc.string({ unit: fc.constantFrom('a', 'ü', '😀', '"', ',', '\n', '\r', ' '), maxLength: 8 });
    const rows = fc.array(fc.array(field, { minLength: 3, maxLength: 3 }), { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(rows, fc.integer({ min: 1, max: 9 }), async (written, size) => {
        const quoted = written.map((row) => row.map((text) => `"${text.replaceAll('"', '""')}"`).join(','));
        const bytes = Buffer.from(['a,b,c', ...quoted, ''].join('\n'));
        const cut = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
          bytes.subarray(i * size, (i + 1) * size),
        );
        const found: string[][] = [];
        let undecided: Line[] = [];
        let width: number | null = null;
        const take = (lines: Line[], ended: boolean): void => {
          const decided = recordsOf([...undecided, ...lines], width, ended);
          ({ undecided, width } = decided);
          for (const record of decided.records) found.push('values' in record ? record.values : [record.malformed]);
        };
        for await (const lines of linesOf(Readable.from(cut))) take(lines, false);
        take([], true);
        expect(found).toEqual([['a', 'b', 'c'], ...written]);
      }),
    );
  });

  it('gives a quote that is never closed only its own line, however much follows and whatever is quoted there', async () => {
    const rows = Array.from({ length: 20_000 }, (_, i) => (i % 7 === 0 ? `${i},"${i}"` : `${i},${i}`));
    const { records } = await read(`a,b\n1,"2\n${rows.join('\n')}\n`);
    expect(records).toHaveLength(rows.length + 1);
    expect(records[0]).toEqual({ line: 2, malformed: 'malformed CSV: a quote that is not closed' });
    expect(records.slice(1).every((record) => 'values' in record)).toBe(true);
  });

  it('refuses a line whose bytes are not UTF-8, by its number, and no other', async () => {
    const latin1 = Buffer.from('2,Müller Söhne\n', 'latin1');
    const bytes = Buffer.concat([Buffer.from('a,b\n1,Müller\n'), latin1, Buffer.from('3,Bäcker\n')]);
    expect((await read(bytes)).records).toEqual([
      { line: 2, values: ['1', 'Müller'] },
      { line: 3, malformed: 'malformed CSV: bytes that are not UTF-8' },
      { line: 4, values: ['3', 'Bäcker'] },
    ]);
  });

  it.each([
    ['semicolons', 'a;b;c\n1;2;3\n', 'separates its columns with semicolons'],
    ['tabs', 'a\tb\n', 'separates its columns with tabs'],
    ['UTF-16', Buffer.from('\uFEFFa,b\n1,2\n', 'utf16le'), 'it is UTF-16, not UTF-8'],
    ['UTF-16 without its mark', Buffer.from('a,b\n1,2\n', 'utf16le'), 'looks like UTF-16'],
    ['compressed UTF-16', gzipSync(Buffer.from('\uFEFFa,b\n', 'utf16le')), 'it is UTF-16, not UTF-8'],
    ['a header in Latin-1', Buffer.from('a,ü\n', 'latin1'), 'no header that can be read: malformed CSV: bytes that'],
  ])('names what a file is that is no CSV of ours, shortly: %s', async (_, bytes, why) => {
    const refused = await read(bytes).catch((error: unknown) => error as Error);
    expect(refused).toMatchObject({ type: 'InvalidInput', message: expect.stringContaining(why) as string });
    expect((refused as Error).message.length).toBeLessThan(300);
  });

  it('says of a file that is named .gz and is none that it is none', async () => {
    const path = join(directory, 'file.csv.gz');
    await writeFile(path, 'this is no gzip'.repeat(100));
    await expect(openCsv(path)).rejects.toThrow(/is named \.gz, but is not gzip\. Nothing was changed\.$/);
  });

  it('leaves rows of another length to the caller', async () => {
    expect((await read('a,b\n1\n1,2,3\n')).records.map((record) => 'values' in record && record.values.length)).toEqual(
      [1, 3],
    );
  });

  it('says where a damaged gzip ends', async () => {
    const whole = gzipSync(`a\n${Array.from({ length: 50_000 }, (_, index) => index * 7919).join('\n')}\n`);
    await expect(read(whole.subarray(0, whole.length / 2))).rejects.toMatchObject({
      type: 'InvalidInput',
      message: expect.stringMatching(/file\.csv cannot be read( after line \d+)?: unexpected end of file$/) as string,
    });
  });

  it('refuses a file that is empty or not there', async () => {
    await expect(read('')).rejects.toMatchObject({
      type: 'InvalidInput',
      message: expect.stringContaining('is empty') as string,
    });
    await expect(openCsv(join(directory, 'gone.csv'))).rejects.toMatchObject({
      type: 'InvalidInput',
      message: expect.stringContaining('there is no such file') as string,
    });
  });
});
