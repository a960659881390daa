import type { Db } from 'mongodb';
import type { Logger } from 'pino';
import type { TrustedKeys } from '../../../domain/dsse/dsse.js';
import { expectQuoted } from '../../../domain/fx/answer.js';
import { addDays, carriedForward, lastBusinessDay } from '../../../domain/fx/calendar.js';
import { checkRates, largestMove } from '../../../domain/fx/checks.js';
import { daysToAsk, mergeFixings } from '../../../domain/fx/merge.js';
import { buildFxRates } from '../../../domain/lookups/fixings.js';
import { SluiceError } from '../../../platform/errors.js';
import type { LoadedModel, Models } from '../../../platform/models.js';
import type { ObjectStore } from '../../../platform/object-store.js';
import type { FxRates, ModelSpec } from '../../../schemas/types.js';
import { heartbeating } from '../../heartbeat.js';
import { lookupsOfJob, publishArtifact, storedArtifacts, type MadeArtifact } from '../artifact.js';
import type { RefreshActivities, RefreshInput } from '../contract.js';
import { openLive, type LiveLookups } from '../live.js';
import { currenciesSeen } from './currencies-seen.js';
import type { FxProvider } from './provider.js';
import { addFixings, storedFixings } from '../../../stores/fixings.js';

export interface FxRefreshDeps {
  db: Db;
  store: ObjectStore;
  trustedKeys: TrustedKeys;
  models: Pick<Models, 'load'>;
  /** made when the job runs, so that a wrong setting fails the job and not the worker */
  provider: () => FxProvider;
  log: Pick<Logger, 'info'>;
}

const SOURCE_DEADLINE_MS = 2 * 60_000;

type FixingsLookup = Extract<ModelSpec['lookups'][string], { builder: 'fixings' }>;

/**
 * The nightly exchange rates: what the source has published since the newest stored fixing is checked, stored write-once and made into the
 * lookup, together with what is stored. A broken answer stores nothing and fails the job.
 */
export function createFxRefreshActivities(deps: FxRefreshDeps): Pick<RefreshActivities, 'refreshFxRates'> {
  const { store, trustedKeys, models, log } = deps;
  return {
    refreshFxRates: (input) =>
      heartbeating(async (signal) => {
        const model = await models.load(input.model);
        const lookups = lookupsOfJob(model.spec, 'fxRates');
        if (lookups.length === 0) return [];
        const live = await openLive({ store, trustedKeys }, input, model.spec.lookups);
        const stored = await storedArtifacts(store, input, 'fxRates', lookups, live);
        if (stored !== null) return stored;
        const made = await makeRates(deps, model, input, live, signal);
        log.info({ model: input.model, key: input.key, notes: made.flatMap(({ notes }) => notes) }, 'exchange rates');
        return Promise.all(made.map((one) => publishArtifact(store, input, one, live)));
      }),
  };
}

async function makeRates(
  { db, provider }: FxRefreshDeps,
  { spec, registry }: LoadedModel,
  { asOf }: RefreshInput,
  live: LiveLookups,
  signal: AbortSignal,
): Promise<MadeArtifact[]> {
  const { base_currency: baseCurrency, data, refresh } = spec;
  const asOfDay = new Date(asOf).toISOString().slice(0, 10);
  const declared = Object.entries(spec.lookups).filter(
    (entry): entry is [string, FixingsLookup] => entry[1].builder === 'fixings',
  );
  const reach = Math.max(...declared.map(([, { trailing_days: days }]) => days));
  const first = addDays(lastBusinessDay(asOfDay), -reach);

  const stored = await storedFixings(db, data, first, asOfDay);
  const { from, to, missing } = daysToAsk(new Set(stored.map(({ _id }) => _id)), first, asOfDay);
  const source = provider();
  const published = await withinMinutes(source, signal, (until) => source.fixings({ from, to, signal: until }));
  const { added, notes } = inOurTerms(source, () => {
    expectQuoted(published, baseCurrency);
    return mergeFixings(stored, published, baseCurrency);
  });
  const fixings = [...stored, ...added];
  const isNew = new Set(added.map(({ _id }) => _id));
  if (isNew.size > 0) notes.push(`new from ${source.name}: ${[...isNew].join(', ')}`);

  const seen = await currenciesSeen(db, spec, registry, asOf);
  const made: MadeArtifact[] = [];
  let withinTolerance = true;
  for (const [lookup, { file, schema, trailing_days: trailingDays }] of declared) {
    const rates = inOurTerms(source, () => buildFxRates(fixings, { baseCurrency, asOf, trailingDays, sameDay: true }));
    const before = ((await live.lookup(lookup))?.document ?? null) as FxRates | null;
    const tolerance = refresh.tolerances[lookup] ?? {};
    const move = largestMove(rates, before, (day) => isNew.has(day));
    withinTolerance &&= (move?.largest ?? 0) <= (tolerance.max_move ?? Infinity);
    const oldest = rates.trailing.at(-1)?.date ?? rates.fixing_date;
    const holes = missing.filter((day) => day > oldest && day < rates.fixing_date && !isNew.has(day));
    made.push({
      job: 'fxRates',
      lookup,
      file,
      schema,
      content: { document: rates },
      window: { from: `${oldest}T00:00:00.000Z`, to: `${rates.fixing_date}T00:00:00.000Z` },
      rows: rates.trailing.length + 1,
      inputs: { source: source.name, collection: data.fixings_collection },
      checks: checkRates(rates, before, move, seen.currencies, asOfDay, tolerance),
      notes: [
        ...carriedForward(rates.fixing_date, asOfDay),
        ...holes.map(
          (day) => `${source.name} has no fixing of ${day} either, a business day: the one before it stands in`,
        ),
        ...notes,
        ...seen.notes,
      ],
    });
  }
  if (withinTolerance) await addFixings(db, data, added);
  else
    for (const artifact of made)
      artifact.notes.push(
        `the new fixings are not in ${data.fixings_collection}: they moved beyond the tolerance. Once this artifact is approved and live, the next run stores them`,
      );
  return made;
}

/** A source that is slow, question after question, must not hold the night up: the job fails, and the rest goes on. */
async function withinMinutes<T>(
  { name }: FxProvider,
  signal: AbortSignal,
  ask: (until: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = new AbortController();
  const timer = setTimeout(() => {
    const message = `the FX source ${name} took more than ${SOURCE_DEADLINE_MS / 60_000} minutes. Nothing was stored, and the live rates stay.`;
    late.abort(new SluiceError('Unreachable', message));
  }, SOURCE_DEADLINE_MS);
  try {
    return await ask(AbortSignal.any([signal, late.signal]));
  } finally {
    clearTimeout(timer);
  }
}

/** What the rules of `domain/fx` refuse, told with the source's name. */
function inOurTerms<T>({ name }: FxProvider, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const refused = error instanceof RangeError || (error as Error).name === 'InvalidInput';
    if (!refused || error instanceof SluiceError) throw error;
    throw new SluiceError(
      'InvalidInput',
      `exchange rates of ${name} and the stored ones: ${(error as Error).message}. Nothing was stored, and the live rates stay.`,
    );
  }
}
