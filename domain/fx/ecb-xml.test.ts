import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ecbXml, readEcbCsv } from '../../stack/fx/documents.js';
import { createEcbReader, type EcbDocument } from './ecb-xml.js';

const TODAY = '2025-07-01';
const asked = { today: TODAY, from: '2025-06-01', to: '2025-06-30' };
/** as the ECB wrote it on 30 June 2025, shortened */
const DAILY = `<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
	<gesmes:subject>Reference rates</gesmes:subject>
	<gesmes:Sender>
		<gesmes:name>European Central Bank</gesmes:name>
	</gesmes:Sender>
	<Cube>
		<Cube time='2025-06-30'>
			<Cube currency='USD' rate='1.1720'/>
			<Cube currency='JPY' rate='169.17'/>
			<Cube currency='GBP' rate='0.85550'/>
		</Cube>
	</Cube>
</gesmes:Envelope>
`;

function read(text: string, pieces = 1): EcbDocument {
  const reader = createEcbReader(asked);
  const size = Math.max(1, Math.ceil(text.length / pieces));
  for (let at = 0; at < text.length; at += size) reader.write(text.slice(at, at + size));
  return reader.end();
}
const refusal = (text: string): { name: string; message: string } => {
  try {
    read(text);
  } catch (error) {
    return error as Error;
  }
  throw new Error('it was accepted');
};

describe('createEcbReader', () => {
  it('reads the daily document, however it arrives', () => {
    for (const pieces of [1, 7, DAILY.length])
      expect(read(DAILY, pieces)).toEqual({
        newest: '2025-06-30',
        fixings: [{ _id: '2025-06-30', base: 'EUR', rates: { USD: 1.172, JPY: 169.17, GBP: 0.8555 } }],
      });
  });

  it.each<[string, (xml: string) => string, string, string]>([
    ['a document type', (xml) => xml.replace('?>', '?><!DOCTYPE x [<!ENTITY a "b">]>'), 'InvalidInput', 'DOCTYPE'],
    [
      'an external document type',
      (xml) => xml.replace('?>', '?><!DOCTYPE x SYSTEM "file:///etc/passwd">'),
      'InvalidInput',
      'DOCTYPE',
    ],
    ['a rate of 0', (xml) => xml.replace('1.1720', '0'), 'InvalidInput', '2025-06-30, USD: the rate "0"'],
    ['a rate of 0.000', (xml) => xml.replace('1.1720', '0.000'), 'InvalidInput', 'the rate "0.000"'],
    ['a rate of -1', (xml) => xml.replace('1.1720', '-1'), 'InvalidInput', 'the rate "-1"'],
    ['a rate of 1e999', (xml) => xml.replace('1.1720', '1e999'), 'InvalidInput', 'the rate "1e999"'],
    ['a rate of 0x10', (xml) => xml.replace('1.1720', '0x10'), 'InvalidInput', 'the rate "0x10"'],
    ['a rate of N/A', (xml) => xml.replace('1.1720', 'N/A'), 'InvalidInput', 'the rate "N/A"'],
    ['an empty rate', (xml) => xml.replace('1.1720', ''), 'InvalidInput', 'the rate ""'],
    ['a rate with a blank', (xml) => xml.replace('1.1720', ' 1.1720'), 'InvalidInput', 'the rate " 1.1720"'],
    ['other digits', (xml) => xml.replace('1.1720', '１.１'), 'InvalidInput', 'is not a positive decimal'],
    ['no rate', (xml) => xml.replace(" rate='1.1720'", ''), 'InvalidInput', 'has no rate'],
    ['a currency twice', (xml) => xml.replace('JPY', 'USD'), 'InvalidInput', '"USD" is there twice'],
    ['the euro in euros', (xml) => xml.replace('JPY', 'EUR'), 'InvalidInput', '"EUR" is there twice'],
    ['no currency code', (xml) => xml.replace('JPY', 'yen'), 'InvalidInput', '"yen" is not a currency'],
    ['__proto__', (xml) => xml.replace('JPY', '__proto__'), 'InvalidInput', 'is not a currency'],
    [
      'a day in the future',
      (xml) => xml.replace('2025-06-30', '2025-07-02'),
      'InvalidInput',
      'in the future: today is 2025-07-01',
    ],
    ['a day that does not exist', (xml) => xml.replace('2025-06-30', '2025-06-31'), 'InvalidInput', 'is not a day'],
    ['a day twice', (xml) => xml.replace(/(<Cube time=[^]*?\n\t\t<\/Cube>)/, '$1$1'), 'InvalidInput', 'is there twice'],
    ['a day without rates', (xml) => xml.replace(/<Cube currency.*\n/g, ''), 'InvalidInput', 'has no rates'],
    ['no day', (xml) => xml.replace(/<Cube time=[^]*?\n\t\t<\/Cube>/, ''), 'InvalidInput', 'without a single day'],
    [
      'a page of HTML',
      () => '<html><head><title>Maintenance</title></head><body><p>Soon</p></body></html>',
      'InvalidInput',
      'its root is <html>',
    ],
    ['a page of HTML 5', () => '<!DOCTYPE html><html><body>Soon<br></body></html>', 'InvalidInput', 'DOCTYPE'],
    ['another namespace', (xml) => xml.replace('2002-08-01/eurofxref', 'x'), 'InvalidInput', 'without a single day'],
    ['another root', (xml) => xml.replaceAll('gesmes:Envelope', 'gesmes:Other'), 'InvalidInput', 'its root is'],
    ['JSON', () => '{"success":true}', 'InvalidInput', 'not well-formed'],
    ['an undeclared entity', (xml) => xml.replace('1.1720', '&rate;'), 'InvalidInput', 'not well-formed'],
    ['text after the end', (xml) => `${xml}more`, 'InvalidInput', 'not well-formed'],
    ['nothing', () => '', 'Unreachable', 'stops in the middle'],
  ])('refuses %s', (_what, change, name, message) => {
    const refused = refusal(change(DAILY));
    expect(refused.message).toContain(message);
    expect(refused.name).toBe(name);
  });

  it('refuses the document cut off anywhere, as half an answer', () => {
    const end = DAILY.indexOf('</gesmes:Envelope>') + '</gesmes:Envelope>'.length;
    for (let length = 0; length < end; length++) {
      const refused = refusal(DAILY.slice(0, length));
      expect([refused.name, length]).toEqual(['Unreachable', length]);
    }
  });

  it('keeps the days asked for, oldest first, and knows the newest', () => {
    const day = fc
      .integer({ min: 0, max: 60 })
      .map((n) => new Date(Date.UTC(2025, 4, 2 + n)).toISOString().slice(0, 10));
    const rate = fc.integer({ min: 1, max: 10 ** 9 }).map((n) => String(n / 10_000));
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(day, rate), { minLength: 1, selector: ([one]) => one }), (days) => {
        const sorted = [...days].sort(([a], [b]) => (a < b ? -1 : 1));
        const { newest, fixings } = read(ecbXml(days.map(([one, usd]) => ({ day: one, rates: [['USD', usd]] }))), 3);
        expect(newest).toBe(sorted.at(-1)![0]);
        expect(fixings).toEqual(
          sorted
            .filter(([one]) => one >= asked.from && one <= asked.to)
            .map(([one, usd]) => ({ _id: one, base: 'EUR', rates: { USD: Number(usd) } })),
        );
      }),
    );
  });
});

describe('the replayed documents', () => {
  it('lose no digit of the CSV', () => {
    const days = readEcbCsv('Date,USD,JPY,BGN,\n2025-06-30,1.1720,169.17,N/A,\n2025-06-27,1.1704,169.50,1.9558,\n');
    expect(read(ecbXml(days)).fixings).toEqual([
      { _id: '2025-06-27', base: 'EUR', rates: { USD: 1.1704, JPY: 169.5, BGN: 1.9558 } },
      { _id: '2025-06-30', base: 'EUR', rates: { USD: 1.172, JPY: 169.17 } },
    ]);
  });
});
