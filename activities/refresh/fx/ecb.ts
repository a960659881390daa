import { TextDecoder } from 'node:util';
import { malformed } from '../../../domain/fx/answer.js';
import { addDays, businessDays } from '../../../domain/fx/calendar.js';
import { createEcbReader, type EcbDocument } from '../../../domain/fx/ecb-xml.js';
import { download } from './download.js';
import type { FixingsRequest, FxProvider } from './provider.js';

/** Where the European Central Bank publishes its reference rates. */
export const ECB_URL = 'https://www.ecb.europa.eu/stats/eurofxref/';

const MB = 1024 * 1024;
/** What each document holds, and many times its size: the whole history has 8 MB. */
const DOCUMENTS = {
  daily: { file: 'eurofxref-daily.xml', maxBytes: MB },
  ninetyDays: { file: 'eurofxref-hist-90d.xml', maxBytes: 2 * MB },
  all: { file: 'eurofxref-hist.xml', maxBytes: 32 * MB },
} as const;
/** the 90 days count from a day that may not be the newest */
const SURELY_IN_90_DAYS = 85;

/**
 * The ECB's XML, from the bank or from a server with the same files. The latest day's document is asked for first; the histories only when it leaves
 * days open, and the whole one only for days that the 90 days do not reach.
 */
export function createEcbProvider(options: { url: string; name: string; now: () => Date }): FxProvider {
  const { name, now } = options;
  const base = new URL(options.url.replace(/\/*$/, '/'));

  const read = (
    { file, maxBytes }: { file: string; maxBytes: number },
    { from, to, signal }: FixingsRequest,
  ): Promise<EcbDocument> =>
    download({ system: `the FX source ${name}`, url: new URL(file, base), maxBytes, signal }, async (pieces) => {
      const reader = createEcbReader({ today: now().toISOString().slice(0, 10), from, to });
      const decoder = new TextDecoder('utf-8', { fatal: true });
      for await (const piece of pieces) reader.write(decoded(decoder, piece));
      reader.write(decoded(decoder));
      return reader.end();
    });

  return {
    name,
    async fixings(request) {
      const daily = await read(DOCUMENTS.daily, request);
      const { from, to } = request;
      const open = businessDays(from, to < daily.newest ? to : daily.newest).filter((day) => day !== daily.newest);
      if (open.length === 0) return daily.fixings;
      const recent = from >= addDays(daily.newest, -SURELY_IN_90_DAYS);
      const { fixings } = await read(recent ? DOCUMENTS.ninetyDays : DOCUMENTS.all, request);
      const known = new Set(fixings.map(({ _id }) => _id));
      return [...fixings, ...daily.fixings.filter(({ _id }) => !known.has(_id))];
    },
  };
}

function decoded(decoder: TextDecoder, piece?: Uint8Array): string {
  try {
    return piece === undefined ? decoder.decode() : decoder.decode(piece, { stream: true });
  } catch {
    throw malformed('it is not UTF-8');
  }
}
