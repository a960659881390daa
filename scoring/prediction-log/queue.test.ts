import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BoundedQueue } from './queue.js';

interface Item {
  id: number;
  rows: number;
  bytes: number;
}

describe('the queue of predictions', () => {
  it('never exceeds its bounds, loses none without counting it, and keeps the order', () => {
    const step = fc.oneof(
      {
        weight: 3,
        arbitrary: fc.record({ rows: fc.integer({ min: 1, max: 6 }), bytes: fc.integer({ min: 1, max: 60 }) }),
      },
      { weight: 1, arbitrary: fc.constantFrom('begin', 'done', 'failed') },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const queue = new BoundedQueue<Item>({ rows: 12, bytes: 200 });
        let offered = 0;
        let dropped = 0;
        let written = 0;
        let id = 0;
        let inFlight: readonly Item[] = [];
        const order: number[] = [];
        for (const step of steps) {
          if (typeof step === 'object') {
            const before = [...inFlight];
            offered += step.rows;
            dropped += queue.offer({ id: id++, ...step });
            // What is being written is not dropped under the writer's hands.
            expect(inFlight).toEqual(before);
          } else if (step === 'begin') {
            if (inFlight.length === 0) inFlight = queue.begin({ rows: 4, bytes: 80 });
          } else if (inFlight.length > 0) {
            if (step === 'done') {
              for (const item of inFlight) {
                written += item.rows;
                order.push(item.id);
              }
              queue.done();
            } else queue.failed();
            inFlight = [];
          }
          expect(queue.rows).toBeLessThanOrEqual(12);
          expect(queue.bytes).toBeLessThanOrEqual(200);
          expect(written + dropped + queue.rows).toBe(offered);
        }
        expect(order).toEqual([...order].sort((a, b) => a - b));
        if (inFlight.length > 0) queue.done();
        while (queue.begin({ rows: 4, bytes: 80 }).length > 0) queue.done();
        expect([queue.rows, queue.bytes]).toEqual([0, 0]);
      }),
      { numRuns: 500 },
    );
  });

  it('drops the oldest first, a failed batch before what came later', () => {
    const queue = new BoundedQueue<Item>({ rows: 3, bytes: 1_000 });
    const item = (id: number): Item => ({ id, rows: 1, bytes: 1 });
    for (const id of [1, 2, 3]) expect(queue.offer(item(id))).toBe(0);
    expect(queue.begin({ rows: 2, bytes: 1_000 }).map(({ id }) => id)).toEqual([1, 2]);
    expect(queue.offer(item(4))).toBe(1);
    queue.failed();
    expect(queue.begin({ rows: 2, bytes: 1_000 }).map(({ id }) => id)).toEqual([1, 2]);
    queue.failed();
    expect(queue.offer(item(5))).toBe(1);
    expect(queue.begin({ rows: 2, bytes: 1_000 }).map(({ id }) => id)).toEqual([2]);
    queue.done();
    expect(queue.begin({ rows: 9, bytes: 1_000 }).map(({ id }) => id)).toEqual([4, 5]);
  });

  it('drops one that is too big by itself and nothing else', () => {
    const queue = new BoundedQueue<Item>({ rows: 3, bytes: 10 });
    expect(queue.offer({ id: 1, rows: 1, bytes: 5 })).toBe(0);
    expect(queue.offer({ id: 2, rows: 2, bytes: 11 })).toBe(2);
    expect(queue.begin({ rows: 9, bytes: 99 }).map(({ id }) => id)).toEqual([1]);
  });
});
