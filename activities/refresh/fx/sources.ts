import { SluiceError } from '../../../platform/errors.js';
import { createEcbProvider, ECB_URL } from './ecb.js';
import { createExchangerateHostProvider, EXCHANGERATE_HOST_URL } from './exchangerate-host.js';
import { createOpenExchangeRatesProvider, OPEN_EXCHANGE_RATES_URL } from './open-exchange-rates.js';
import type { FxProvider } from './provider.js';

export interface FxSettings {
  /** `ecb`, `exchangerate.host`, `openexchangerates`, or the address of a server that speaks the ECB's format */
  source: string;
  /** empty where the source wants none */
  apiKey: string;
  /** the clock on the wall */
  now: () => Date;
}

/**
 * The source that the settings choose. Hosts are fixed here, or by an operator's URL; nothing in data or answers can name another.
 * @throws SluiceError InvalidInput for a source that is not known, or lacks its key
 */
export function createFxProvider({ source, apiKey, now }: FxSettings): FxProvider {
  const key = (name: string): string => {
    if (apiKey === '')
      throw new SluiceError('InvalidInput', `FX_SOURCE is ${name}, which wants a key: set FX_API_KEY.`);
    return apiKey;
  };
  switch (source) {
    case 'ecb':
      return createEcbProvider({ url: ECB_URL, name: 'ecb', now });
    case 'exchangerate.host':
      return createExchangerateHostProvider({ url: EXCHANGERATE_HOST_URL, apiKey: key(source), now });
    case 'openexchangerates':
      return createOpenExchangeRatesProvider({ url: OPEN_EXCHANGE_RATES_URL, apiKey: key(source), now });
    default: {
      const url = ownServer(source);
      return createEcbProvider({ url: url.href, name: url.origin, now });
    }
  }
}

/** An ECB-format server's address; without a path, the ECB's own is meant. */
function ownServer(source: string): URL {
  const url = URL.canParse(source) ? new URL(source) : null;
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:'))
    throw new SluiceError(
      'InvalidInput',
      `FX_SOURCE must be ecb, exchangerate.host, openexchangerates, or an http(s) address of a server with the ECB's files.`,
    );
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '')
    throw new SluiceError('InvalidInput', 'FX_SOURCE must be a plain address, without user, password or query.');
  return url.pathname === '/' ? new URL(new URL(ECB_URL).pathname, url) : url;
}
