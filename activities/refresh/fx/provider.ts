import type { Fixing } from '../../../domain/lookups/fixings.js';

export interface FixingsRequest {
  /** YYYY-MM-DD, both inclusive */
  from: string;
  to: string;
  signal?: AbortSignal | undefined;
}

/** A source of exchange rates. What it answers is checked; nothing it says is taken on trust. */
export interface FxProvider {
  /** for notes and version records; never holds a key */
  readonly name: string;
  /**
   * The fixings that it has published of these days, oldest first; days that it has none of are left out.
   * @throws SluiceError Unreachable (no answer, or half of one), Rejected (refused, a redirect), InvalidInput (an answer that is wrong)
   */
  fixings(request: FixingsRequest): Promise<Fixing[]>;
}
