import type { ExpectedBundle, Swap } from './protocol.js';

/** Two runs of the same bundle's models may differ by their last bits. */
const SAME_SCORE = 1e-6;
const AFTER_SWAP_MS = 1_000;
export const SLOW_MS = 20;

interface Answer {
  results: { score: number }[];
  versions: { generation: number | null; manifest_sha256: string };
}

/** Looks whether an answer's generation, digest and score agree with exactly one bundle, and at what happens around each new generation. */
export class Checker {
  readonly swaps: Swap[] = [];
  #firstSeenMs = -Infinity;
  readonly #digestOf = new Map<number, string>();
  readonly #bundles: Map<string, ExpectedBundle>;

  constructor(expected: readonly ExpectedBundle[]) {
    this.#bundles = new Map(expected.map((bundle) => [bundle.manifestSha256, bundle]));
  }

  /**
   * @param position in the order's `bodies`
   * @param last the generation of this connection's last answer: none may be lower
   * @returns what is wrong, or null, and the answer's generation
   */
  check(
    body: Buffer,
    position: number,
    last: number,
    at: { nowMs: number; tookMs: number },
  ): { wrong: string | null; generation: number } {
    const { results, versions } = JSON.parse(body.toString('utf8')) as Answer;
    const generation = versions.generation ?? 0;
    const digest = versions.manifest_sha256;
    const known = this.#digestOf.get(generation);
    if (known === undefined) {
      this.#digestOf.set(generation, digest);
      this.swaps.push({ generation, manifestSha256: digest, worst: 0, over20ms: 0 });
      this.#firstSeenMs = at.nowMs;
    }
    const swap = this.swaps[this.swaps.length - 1];
    if (swap !== undefined && this.swaps.length > 1 && at.nowMs - this.#firstSeenMs <= AFTER_SWAP_MS) {
      swap.worst = Math.max(swap.worst, at.tookMs);
      if (at.tookMs > SLOW_MS) swap.over20ms += 1;
    }
    return { wrong: this.#problem({ results, versions }, position, known ?? digest, generation < last), generation };
  }

  #problem({ results, versions }: Answer, position: number, digest: string, wentBack: boolean): string | null {
    if (versions.manifest_sha256 !== digest) return 'one generation, two digests';
    if (wentBack) return 'a connection went back in generation';
    const score = this.#bundles.get(digest)?.scores[position];
    if (score === undefined) return 'an unknown digest';
    const own = results.length === 1 ? results[0]?.score : undefined;
    return own !== undefined && Math.abs(own - score) <= SAME_SCORE ? null : "a score that is not its bundle's";
  }
}
