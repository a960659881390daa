import { SaxesParser, type SaxesTagNS } from 'saxes';
import type { Fixing } from '../lookups/fixings.js';
import { malformed, FxAnswerError, quoted, readCurrency, readFixingDay, readRate } from './answer.js';

/** The European Central Bank quotes units of a currency per euro. */
export const ECB_BASE = 'EUR';
export const ECB_NAMESPACE = {
  envelope: 'http://www.gesmes.org/xml/2002-08-01',
  rates: 'http://www.ecb.int/vocabulary/2002-08-01/eurofxref',
} as const;

/** Envelope, Cube, Cube of a day, Cube of a currency: the document goes no deeper. */
const DEPTH = { envelope: 1, days: 2, day: 3, rate: 4 } as const;

export interface EcbDocument {
  /** the latest day of the document, YYYY-MM-DD */
  newest: string;
  /** of the days asked for, oldest first */
  fixings: Fixing[];
}

export interface EcbReader {
  /** @throws FxAnswerError as soon as something is wrong */
  write(text: string): void;
  /** @throws FxAnswerError `Unreachable` when the document is not whole */
  end(): EcbDocument;
}

/**
 * Reads `eurofxref-daily.xml` and its histories piece by piece, keeping only the days asked for. All of the document is checked: a document type is
 * refused (no entities, nothing fetched), as are a root that is not the ECB's, days or currencies given twice, days in the future, and rates that
 * are not positive decimals.
 * @param asked.today UTC day of the clock on the wall
 * @param asked.from first day to keep; `to`: the last
 */
export function createEcbReader({ today, from, to }: { today: string; from: string; to: string }): EcbReader {
  const parser = new SaxesParser({ xmlns: true, position: true });
  const days = new Set<string>();
  const kept: Fixing[] = [];
  let depth = 0;
  /** the day being read; its rates; null for elements that are not the ECB's */
  let fixing: Fixing | null = null;
  let closing = false;

  const where = (): string => `line ${parser.line}`;
  const attribute = (tag: SaxesTagNS, name: string): string | undefined => tag.attributes[name]?.value;
  const required = (tag: SaxesTagNS, name: string): string => {
    const value = attribute(tag, name);
    if (value === undefined) throw malformed(`${where()}: <${tag.name}> has no ${name}`);
    return value;
  };

  parser.on('doctype', () => {
    throw malformed('it has a document type (DOCTYPE): refused, since one can define entities');
  });
  parser.on('error', (error) => {
    throw closing
      ? new FxAnswerError('Unreachable', `it stops in the middle of the document (${error.message})`)
      : malformed(`it is not well-formed XML: ${error.message}`);
  });
  parser.on('opentag', (tag) => {
    depth++;
    if (depth === DEPTH.envelope) {
      if (tag.local !== 'Envelope' || tag.uri !== ECB_NAMESPACE.envelope)
        throw malformed(`it is not the ECB's document: its root is <${tag.name.slice(0, 40)}>, not <gesmes:Envelope>`);
      return;
    }
    if (tag.uri !== ECB_NAMESPACE.rates) return;
    if (tag.local !== 'Cube' || depth > DEPTH.rate)
      throw malformed(`${where()}: <${tag.name}> has no place there in the ECB's document`);
    if (depth === DEPTH.day) {
      const day = readFixingDay(required(tag, 'time'), today);
      if (days.has(day)) throw malformed(`${where()}: the day ${day} is there twice`);
      days.add(day);
      fixing = { _id: day, base: ECB_BASE, rates: {} };
    } else if (depth === DEPTH.rate) {
      const current = fixing;
      if (current === null) throw malformed(`${where()}: a rate without a day`);
      const at = `${where()}, ${current._id}`;
      const currency = readCurrency(required(tag, 'currency'), at);
      if (currency === ECB_BASE || Object.hasOwn(current.rates, currency))
        throw malformed(`${at}: the currency ${quoted(currency)} is there twice`);
      current.rates[currency] = readRate(required(tag, 'rate'), `${at}, ${currency}`);
    }
  });
  parser.on('closetag', () => {
    if (depth === DEPTH.day && fixing !== null) {
      if (Object.keys(fixing.rates).length === 0) throw malformed(`${where()}: the day ${fixing._id} has no rates`);
      if (fixing._id >= from && fixing._id <= to) kept.push(fixing);
      fixing = null;
    }
    depth--;
  });

  return {
    write: (text) => void parser.write(text),
    end() {
      closing = true;
      parser.close();
      const newest = [...days].sort().at(-1);
      if (newest === undefined) throw malformed("it is the ECB's document, but without a single day");
      return { newest, fixings: kept.sort((a, b) => (a._id < b._id ? -1 : 1)) };
    },
  };
}
