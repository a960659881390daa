import { pino } from 'pino';
import { describe, expect, it, vi } from 'vitest';
import type { LoadedBundle } from '../../domain/bundle/load.js';
import { SluiceError } from '../../platform/errors.js';
import { PendingCalls, settle, type PendingCall } from '../../test/support/pending-calls.js';
import type { ControlView } from '../serving/control-view.js';
import type { Serving } from '../serving/serving.js';
import type { ScorerSettings } from '../settings.js';
import type { SetOrder } from '../traffic/orders.js';
import { createFleet } from './fleet.js';
import type { Member } from './member.js';
import { outcomeOf, type ProcessCalls, type SetMessage } from './messages.js';

const silent = pino({ level: 'silent' });

/** A serving process as control sees it; it is as strict as a real one. */
class FakeProcess {
  prepared: string | null = null;
  served: string | null = null;
  listens = false;
  ended = false;
  readonly did: string[] = [];
  private end = (): void => undefined;
  private readonly whenEnded = new Promise<void>((resolve) => (this.end = resolve));
  /** prepare does what a test says; unless it does, at once */
  onPrepare: (() => Promise<void>) | null = null;

  kill(): void {
    this.ended = true;
    this.end();
  }

  readonly member: Member = {
    calls: {
      prepare: (set: SetMessage) =>
        this.answer('prepare', async () => {
          if (this.prepared !== null) throw new SluiceError('Conflict', 'another set is prepared already');
          await this.onPrepare?.();
          this.prepared = set.champion.version;
        }),
      switchTo: () =>
        this.answer('switch', () => {
          if (this.prepared === null) throw new SluiceError('Conflict', 'nothing was prepared');
          this.served = this.prepared;
          this.prepared = null;
        }),
      drop: () =>
        this.answer('drop', () => {
          if (this.prepared === null) throw new SluiceError('Conflict', 'nothing was prepared');
          this.prepared = null;
        }),
      listen: () =>
        this.answer('listen', () => {
          this.listens = true;
          return '';
        }),
      status: () =>
        this.answer('status', () => ({
          ...{ generation: null, models: true, kernelRefusal: null, away: 0, predictionLog: null },
          serves: this.served !== null,
        })),
      metrics: () => this.answer('metrics', () => []),
      drain: () => this.answer('drain', () => undefined),
      close: async () => {
        const outcome = await this.answer('close', () => undefined);
        this.kill();
        return outcome;
      },
    } satisfies ProcessCalls as unknown as Member['calls'],
    ended: this.whenEnded,
    kill: () => this.kill(),
  };

  /** What a process that has ended was asked is never answered: control is told by the line, which closes. */
  private answer<T>(name: string, work: () => T | Promise<T>): Promise<{ value: T } | { failure: never }> {
    this.did.push(name);
    const line = this.whenEnded.then(() => {
      throw new SluiceError('Unreachable', 'the serving process ended');
    });
    const answer = this.ended ? line : Promise.race([outcomeOf(work), line]);
    line.catch(() => undefined);
    return answer as Promise<{ value: T }>;
  }
}

interface Fleet {
  serving: Serving;
  /** in the order in which they were started */
  processes: FakeProcess[];
  running: () => FakeProcess[];
  starts: PendingCalls;
  /** whether processes start at once */
  startsAtOnce: boolean;
}

/** @param changed what a test makes of each process that starts */
async function fleetOf(count: number, changed: (process: FakeProcess) => void = () => undefined): Promise<Fleet> {
  const processes: FakeProcess[] = [];
  const fleet: Fleet = {
    serving: undefined as unknown as Serving,
    processes,
    running: () => processes.filter(({ ended }) => !ended),
    starts: new PendingCalls((call: PendingCall) => {
      if (fleet.startsAtOnce) call.answer();
    }),
    startsAtOnce: true,
  };
  fleet.serving = await createFleet({
    settings: { SCORER_PROCESSES: count, SCORER_HOST: '127.0.0.1' } as ScorerSettings,
    view: {} as ControlView,
    log: silent,
    start: () =>
      fleet.starts.begin('start', () => {
        const process = new FakeProcess();
        processes.push(process);
        changed(process);
        return process.member;
      }),
  });
  return fleet;
}

const order = (version: string, generation: number | null): SetOrder => ({
  origin: { from: generation === null ? 'pinned' : 'store', generation, environment: 'production', pointer: null },
  champion: { loaded: { version, manifestSha256: version } as LoadedBundle, raw: new Map() },
  candidate: null,
});
const serve = async ({ serving }: Fleet, version: string, generation: number | null): Promise<void> => {
  await serving.prepare(order(version, generation));
  await serving.switchTo(generation);
};
const all = (fleet: Fleet, served: string | null, prepared: string | null = null): void =>
  expect(fleet.running().map((process) => [process.served, process.prepared])).toEqual(
    fleet.running().map(() => [served, prepared]),
  );
const refused = () => Promise.reject(new SluiceError('IntegrityError', 'it does not score as training did'));

describe('a fleet of serving processes', () => {
  it('does in each of them what is ordered', async () => {
    const fleet = await fleetOf(3);
    await serve(fleet, 'a', 1);
    all(fleet, 'a');
    await fleet.serving.prepare(order('b', 2));
    all(fleet, 'a', 'b');
    await expect(fleet.serving.switchTo(3)).rejects.toThrow(/3 was not prepared/);
    await fleet.serving.drop(2);
    all(fleet, 'a');
    await expect(fleet.serving.switchTo(2)).rejects.toThrow(/2 was not prepared/);
    await fleet.serving.listen(8080);
    expect(fleet.processes.every(({ listens }) => listens)).toBe(true);
    expect(await fleet.serving.status()).toMatchObject({ generation: 1, serves: true, away: 0 });
  });

  it('goes from one pinned set to the next, which have no generation to tell them apart', async () => {
    const fleet = await fleetOf(2);
    for (const version of ['a', 'b', 'a']) {
      await serve(fleet, version, null);
      all(fleet, version);
    }
    await fleet.serving.prepare(order('c', null));
    await fleet.serving.drop(null);
    await expect(fleet.serving.switchTo(null)).rejects.toThrow(/was not prepared/);
    fleet.processes[0]?.kill();
    await serve(fleet, 'd', null);
    all(fleet, 'd');
    expect(fleet.processes).toHaveLength(3);
  });

  it('drops everywhere what one process refuses, also where it was still being prepared', async () => {
    let finish = (): void => undefined;
    const fleet = await fleetOf(3);
    await serve(fleet, 'a', 1);
    const [, refusing, slow] = fleet.processes as [FakeProcess, FakeProcess, FakeProcess];
    refusing.onPrepare = refused;
    slow.onPrepare = () => new Promise((resolve) => (finish = resolve));
    const preparing = fleet.serving.prepare(order('b', 2));
    const outcome = expect(preparing).rejects.toMatchObject({ type: 'IntegrityError' });
    await settle();
    finish();
    await outcome;
    all(fleet, 'a');

    for (const process of fleet.processes) process.onPrepare = null;
    await serve(fleet, 'c', 3);
    all(fleet, 'c');
    expect(fleet.processes).toHaveLength(3);
  });

  it('prepares again in the successor of a process that ends meanwhile, which serves what is live first', async () => {
    const fleet = await fleetOf(2);
    await serve(fleet, 'a', 1);
    const [first] = fleet.processes as [FakeProcess];
    first.onPrepare = () => new Promise(() => undefined);
    const preparing = fleet.serving.prepare(order('b', 2));
    await settle();
    first.kill();
    await preparing;
    all(fleet, 'a', 'b');
    expect(fleet.processes[2]?.did).toEqual(['prepare', 'switch', 'prepare']);
    await fleet.serving.switchTo(2);
    all(fleet, 'b');
  });

  it('gives a set up that ends every process it is prepared in, and serves on', async () => {
    const fleet = await fleetOf(2, (process) => {
      process.onPrepare = () => {
        if (process.served !== null) process.kill();
        return Promise.resolve();
      };
    });
    await serve(fleet, 'a', 1);
    await expect(fleet.serving.prepare(order('b', 2))).rejects.toThrow(/ended 3 times/);
    await vi.waitFor(() => expect(fleet.running()).toHaveLength(2));
    all(fleet, 'a');
  });

  it('switches while one process is away, and waits for its successor', async () => {
    const fleet = await fleetOf(2);
    await fleet.serving.listen(8080);
    await serve(fleet, 'a', 1);
    await fleet.serving.prepare(order('b', 2));
    fleet.startsAtOnce = false;
    fleet.processes[0]?.kill();
    await settle();
    let isOver = false;
    const switching = fleet.serving.switchTo(2).then(() => (isOver = true));
    await settle();
    expect(fleet.processes[1]?.served).toBe('b');
    expect(isOver).toBe(false);
    expect(await fleet.serving.status()).toMatchObject({ generation: 2, serves: true, away: 1 });

    fleet.starts.open[0]?.answer();
    await switching;
    all(fleet, 'b');
    expect(fleet.processes[2]?.did.slice(0, 3)).toEqual(['prepare', 'switch', 'listen']);
    expect(await fleet.serving.status()).toMatchObject({ away: 0 });
  });

  it('drains and closes all before it is over, and replaces none of them any more', async () => {
    const fleet = await fleetOf(2);
    await serve(fleet, 'a', 1);
    await fleet.serving.drain();
    fleet.processes[0]?.kill();
    await fleet.serving.close();
    expect(fleet.running()).toEqual([]);
    expect(fleet.processes).toHaveLength(2);
    expect(fleet.processes[1]?.did.slice(-2)).toEqual(['drain', 'close']);
  });
});
