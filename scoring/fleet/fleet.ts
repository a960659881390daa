import { setTimeout as delay } from 'node:timers/promises';
import getPort from 'get-port';
import type { Logger } from 'pino';
import { SluiceError } from '../../platform/errors.js';
import { createScorerMetrics } from '../metrics/scorer-metrics.js';
import type { ControlView } from '../serving/control-view.js';
import type { Serving, ServingStatus } from '../serving/serving.js';
import type { ScorerSettings } from '../settings.js';
import type { FetchedBundle, SetOrder } from '../traffic/orders.js';
import { startMember } from './member.js';
import { outcomeOf, valueOf, type BundleMessage, type SetMessage } from './messages.js';
import { ask, inEverySeat, takeSeats, type Place, type Seat } from './seats.js';
import { together } from './status.js';

export interface FleetOptions {
  settings: ScorerSettings;
  view: ControlView;
  log: Logger;
  /** the default starts a process; tests bring others */
  start?: typeof startMember;
}

const LAST_WAIT_MS = 5_000;
const ASK_MS = 1_000;
const NOTHING_SERVED = { generation: null, champion: null, candidate: null, queuedRows: 0, predictionLog: null };

/**
 * Several serving processes on one port, under this one, which answers no request. An order is done when every process has done it; a
 * process that dies is replaced and gets what is served now, while the others go on.
 */
export async function createFleet({ settings, view, log, start = startMember }: FleetOptions): Promise<Serving> {
  /** of this process: it follows the pointer for all */
  const own = createScorerMetrics(() => NOTHING_SERVED, { ofProcess: false });
  let current: SetOrder | null = null;
  let prepared: SetOrder | null = null;
  let port: number | null = null;
  let stopping = false;

  /** Tells a process what is served now, until that has not changed meanwhile. */
  const bringUp = async (place: Place): Promise<void> => {
    while (current !== null && place.served !== current) {
      const target: SetOrder = current;
      if (place.prepared !== target) {
        await dropPrepared(place);
        await prepareIn(place, target);
      }
      valueOf(await place.calls.switchTo(target.origin.generation));
      place.served = target;
      place.prepared = null;
    }
  };

  const open = async (): Promise<Place> => {
    const member = await start(
      {
        state: () => outcomeOf(() => view.state()),
        metrics: () => outcomeOf(() => (view.metrics as NonNullable<ControlView['metrics']>)()),
        catchUp: () => outcomeOf(() => view.catchUp()),
      },
      log,
    );
    const place: Place = { ...member, served: null, prepared: null };
    try {
      await bringUp(place);
      if (port !== null) valueOf(await place.calls.listen(port));
      return place;
    } catch (error) {
      member.kill();
      throw error;
    }
  };

  const seats = await takeSeats({ count: settings.SCORER_PROCESSES, open, stopping: () => stopping, log });
  const everywhere = (work: (place: Place) => Promise<void>): Promise<void> => inEverySeat(seats, work);

  const drop: Serving['drop'] = async () => {
    prepared = null;
    await everywhere(dropPrepared);
  };

  return {
    async prepare(order) {
      prepared = order;
      try {
        await everywhere(async (place) => {
          if (place.prepared !== order) await prepareIn(place, order);
        });
      } catch (error) {
        await drop(order.origin.generation);
        throw error;
      }
    },
    async switchTo(generation) {
      if (prepared === null || prepared.origin.generation !== generation)
        throw new SluiceError('Conflict', `generation ${generation} was not prepared`);
      // First, so that a process that starts now begins with it.
      current = prepared;
      prepared = null;
      await everywhere(bringUp);
    },
    drop,
    async listen(wanted) {
      // One number for all, also for those that start later.
      port = wanted === 0 ? await getPort({ host: settings.SCORER_HOST }) : wanted;
      const chosen = port;
      await everywhere(async ({ calls }) => void valueOf(await calls.listen(chosen)));
      return `http://${settings.SCORER_HOST}:${port}`;
    },
    async status() {
      const answers = await Promise.all(seats.map((seat) => Promise.race([statusOf(seat), delay(ASK_MS, null)])));
      return together(answers, current?.origin.generation ?? null);
    },
    async metrics() {
      const answers = await Promise.all(seats.map((seat) => Promise.race([metricsOf(seat), delay(ASK_MS, [])])));
      return [await own.json(), ...answers.flat()];
    },
    reloaded: (outcome, seconds) => own.reload(outcome, seconds),
    async drain() {
      stopping = true;
      await Promise.all(seats.map((seat) => ask(seat, (calls) => calls.drain())));
    },
    async close() {
      stopping = true;
      await Promise.all(seats.map(close));
    },
  };
}

/** It ends by itself, or is ended. */
async function close(seat: Seat): Promise<void> {
  await ask(seat, (calls) => calls.close());
  const place = await seat.member.catch(() => null);
  const late = setTimeout(() => place?.kill(), LAST_WAIT_MS);
  await place?.ended;
  clearTimeout(late);
}

async function prepareIn(place: Place, order: SetOrder): Promise<void> {
  valueOf(await place.calls.prepare(messageOf(order)));
  place.prepared = order;
}

async function dropPrepared(place: Place): Promise<void> {
  const { prepared } = place;
  place.prepared = null;
  if (prepared !== null) valueOf(await place.calls.drop(prepared.origin.generation));
}

async function metricsOf(seat: Seat): Promise<object[][]> {
  const outcome = await ask(seat, (calls) => calls.metrics());
  return outcome !== null && 'value' in outcome ? outcome.value : [];
}

async function statusOf(seat: Seat): Promise<ServingStatus | null> {
  const outcome = await ask(seat, (calls) => calls.status());
  return outcome !== null && 'value' in outcome ? outcome.value : null;
}

function messageOf({ origin, champion, candidate }: SetOrder): SetMessage {
  return {
    origin,
    champion: bundleMessage(champion),
    candidate: candidate === null ? null : { ...candidate, bundle: bundleMessage(candidate.bundle) },
  };
}

function bundleMessage({ loaded, raw }: FetchedBundle): BundleMessage {
  return { version: loaded.version, manifest_sha256: loaded.manifestSha256, raw };
}
