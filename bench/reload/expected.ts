import type { ExpectedBundle } from '../load/protocol.js';
import { someTransactions, type Transaction } from '../scoring/transactions.js';
import type { Published, ReloadWorld, Replica } from './world.js';

/** so far apart that an answer cannot pass for one of the other bundle */
const APART = 1e-4;
const CANDIDATES = 4_000;
const LIST_LENGTH = 1_000;

/** Transactions that the two bundles score differently, and what each says of them. Leaves the pointer on the second bundle. */
export async function expectedOf(
  world: ReloadWorld,
  replica: Replica,
): Promise<{ bodies: string[]; expected: ExpectedBundle[] }> {
  const transactions = await someTransactions(CANDIDATES);
  const scores: number[][] = [];
  for (const bundle of world.bundles) {
    await world.reload(replica, await world.pointTo(bundle));
    scores.push(await scoresOf(replica, transactions, bundle));
  }
  const [one = [], other = []] = scores;
  const kept = transactions.flatMap((_, at) => (Math.abs((one[at] ?? NaN) - (other[at] ?? NaN)) > APART ? [at] : []));
  if (kept.length < 200) throw new Error(`the bundles score only ${kept.length} transactions differently`);
  return {
    bodies: kept.map((at) => JSON.stringify(transactions[at])),
    expected: world.bundles.map(({ manifestSha256 }, bundle) => ({
      manifestSha256,
      scores: kept.map((at) => scores[bundle]?.[at] as number),
    })),
  };
}

async function scoresOf(
  { port }: Replica,
  transactions: readonly Transaction[],
  { manifestSha256 }: Published,
): Promise<number[]> {
  const scores: number[] = [];
  for (let from = 0; from < transactions.length; from += LIST_LENGTH) {
    const response = await fetch(`http://127.0.0.1:${port}/v1/score`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(transactions.slice(from, from + LIST_LENGTH)),
    });
    const answer = (await response.json()) as { results: { score: number }[]; versions: { manifest_sha256: string } };
    if (answer.versions.manifest_sha256 !== manifestSha256) throw new Error('another bundle answered');
    scores.push(...answer.results.map(({ score }) => score));
  }
  return scores;
}
