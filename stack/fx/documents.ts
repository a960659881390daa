import { ECB_NAMESPACE } from '../../domain/fx/ecb-xml.js';
import { addDays } from '../../domain/fx/calendar.js';

/** One day of the ECB's CSV: currency and rate as written there, so that no digit is lost on the way. */
export interface ReplayDay {
  day: string;
  rates: [currency: string, rate: string][];
}

/** The ECB's CSV (`Date,USD,JPY,…`, oldest first or newest first), as `data/ecb_fixings.csv` holds it. */
export function readEcbCsv(text: string): ReplayDay[] {
  const [header = '', ...lines] = text.split(/\r?\n/).filter((line) => line !== '');
  const currencies = header.split(',').slice(1);
  return lines
    .map((line): ReplayDay => {
      const [day = '', ...cells] = line.split(',');
      const rates = currencies.map((currency, index): [string, string] => [currency, cells[index] ?? '']);
      return { day, rates: rates.filter(([currency, rate]) => currency !== '' && rate !== '' && rate !== 'N/A') };
    })
    .sort((a, b) => (a.day < b.day ? 1 : -1));
}

/** Which days each of the ECB's files holds, newest first. */
export const ECB_FILES: Readonly<Record<string, (days: readonly ReplayDay[]) => readonly ReplayDay[]>> = {
  'eurofxref-daily.xml': (days) => days.slice(0, 1),
  'eurofxref-hist-90d.xml': (days) => days.filter(({ day }) => day > addDays(days[0]?.day ?? '', -90)),
  'eurofxref-hist.xml': (days) => days,
};

/** The days in the ECB's own XML. */
export function ecbXml(days: readonly ReplayDay[]): string {
  const cubes = days.map(({ day, rates }) => {
    const quotes = rates.map(([currency, rate]) => `<Cube currency="${currency}" rate="${rate}"/>`);
    return `<Cube time="${day}">${quotes.join('')}</Cube>`;
  });
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<gesmes:Envelope xmlns:gesmes="${ECB_NAMESPACE.envelope}" xmlns="${ECB_NAMESPACE.rates}">`,
    '<gesmes:subject>Reference rates</gesmes:subject>',
    '<gesmes:Sender><gesmes:name>European Central Bank</gesmes:name></gesmes:Sender>',
    `<Cube>${cubes.join('\n')}</Cube>`,
    '</gesmes:Envelope>',
    '',
  ].join('\n');
}
