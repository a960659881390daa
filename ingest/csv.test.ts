import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCsv, type CsvRecord } from './csv.js';

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
    ['3,"4', 'a quote that is not closed on its line'],
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

  it('leaves rows of another length to the caller', async () => {
    expect((await read('a,b\n1\n1,2,3\n')).records.map((record) => 'values' in record && record.values.length)).toEqual(
      [1, 3],
    );
  });

  it('says where a damaged gzip ends', async () => {
    const whole = gzipSync(`a\n${Array.from({ length: 50_000 }, (_, index) => index * 7919).join('\n')}\n`);
    await expect(read(whole.subarray(0, whole.length / 2))).rejects.toMatchObject({
      type: 'InvalidInput',
      message: expect.stringMatching(
        /file\.csv cannot be read( after line \d+)?: unexpected end of file. Rows before it were imported/,
      ) as string,
    });
  });

  it('refuses a file that is empty or not there', async () => {
    await expect(read('')).rejects.toMatchObject({
      type: 'InvalidInput',
      message: expect.stringContaining('is empty') as string,
    });
    await expect(openCsv(join(directory, 'gone.csv'))).rejects.toMatchObject({
      type: 'NotFound',
      message: expect.stringContaining('there is no such file') as string,
    });
  });
});
