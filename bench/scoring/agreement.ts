import { goldenOf, type Golden, type Transaction } from './transactions.js';
import type { Running } from './contenders.js';

/** of scores; a probability or a limit may differ by as much */
const SAME = 1e-5;

/**
 * Whether those that score do the same work: every golden transaction, one by one and as a list, and every transaction that is sent as load must
 * have the same answer from all, field by field, numbers to 1e-5; and the golden ones the answer that training computed.
 * @throws Error that names the first difference
 */
export async function checkAgreement(
  scorers: readonly Running[],
  bundle: string,
  load: readonly (readonly Transaction[])[],
): Promise<{ golden: number; transactions: number }> {
  const golden = await goldenOf(bundle);
  const transactions = golden.map(({ transaction }) => transaction);
  const requests = [...transactions.map((transaction) => [transaction]), transactions, ...load];
  let compared = 0;
  for (const [at, request] of requests.entries()) {
    const [first, ...others] = await Promise.all(scorers.map((scorer) => ask(scorer, request)));
    if (first === undefined) throw new Error('nobody to compare');
    for (const [position, other] of others.entries()) {
      const wrong = difference(first, other, 'results');
      if (wrong !== null) throw new Error(`${scorers[position + 1]?.name} differs from ${scorers[0]?.name}: ${wrong}`);
    }
    if (at < golden.length) expectTrained(first[0], golden[at] as Golden);
    compared += request.length;
  }
  return { golden: golden.length, transactions: compared };
}

/** The results of one request. */
export async function ask(scorer: Running, transactions: readonly Transaction[]): Promise<unknown[]> {
  const { text } = await post(scorer, transactions);
  return scorer.results(text);
}

/** The mean size of an answer to one transaction, in bytes. */
export async function meanAnswerBytes(scorer: Running, transactions: readonly Transaction[]): Promise<number> {
  let bytes = 0;
  for (const transaction of transactions) bytes += Buffer.byteLength((await post(scorer, [transaction])).text);
  return bytes / transactions.length;
}

async function post(scorer: Running, transactions: readonly Transaction[]): Promise<{ text: string }> {
  const response = await fetch(`http://127.0.0.1:${scorer.port}${scorer.path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: scorer.body(transactions),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${scorer.name} answered ${response.status}: ${text.slice(0, 500)}`);
  return { text };
}

function expectTrained(result: unknown, golden: Golden): void {
  const scored = result as Omit<Golden, 'transaction'>;
  for (const field of ['score', 'calibrated_probability', 'anomaly_score'] as const)
    if (!(Math.abs(scored[field] - golden[field]) <= SAME))
      throw new Error(
        `${golden.transaction.transaction_id}: ${field} is ${scored[field]}, and ${golden[field]} in training`,
      );
}

/** Where two documents differ, or null. */
function difference(one: unknown, other: unknown, path: string): string | null {
  if (typeof one === 'number' && typeof other === 'number') {
    const close = Math.abs(one - other) <= SAME * Math.max(1, Math.abs(one));
    return close ? null : `${path} is ${other}, not ${one}`;
  }
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null)
    return one === other ? null : `${path} is ${JSON.stringify(other)}, not ${JSON.stringify(one)}`;
  for (const key of new Set([...Object.keys(one), ...Object.keys(other)])) {
    const wrong = difference(
      (one as Record<string, unknown>)[key],
      (other as Record<string, unknown>)[key],
      `${path}/${key}`,
    );
    if (wrong !== null) return wrong;
  }
  return null;
}
