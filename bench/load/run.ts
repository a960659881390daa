import { Checker, SLOW_MS } from './checker.js';
import { Connection } from './connection.js';
import type { LoadOrder, LoadResult } from './protocol.js';
import { Samples } from './samples.js';

/** Further from the next due request than this, the process sleeps; nearer, it looks at the clock in every turn of the event loop. */
const SLEEP_OVER_MS = 2.5;
const WAKE_BEFORE_MS = 1.5;
/** more than this waiting to be sent means that the server is hopelessly behind; a longer queue would only fill the memory */
const MAX_WAITING = 200_000;
const DRAIN_MS = 5_000;

interface Client {
  connection: Connection;
  /** when its request was due */
  dueMs: number;
  /** in `bodies` */
  position: number;
  generation: number;
}

/** Loads a server as ordered. `stop` ends a run that has no length. */
export function startLoad(order: LoadOrder): { done: Promise<LoadResult>; stop: () => void } {
  const load = new Load(order);
  return { done: load.run(), stop: () => load.stop() };
}

class Load {
  readonly #requests: Buffer[];
  readonly #clients: Client[];
  readonly #checker: Checker | null;
  readonly #latencies = new Samples();
  readonly #lags = new Samples();
  readonly #thisSecond = new Samples();
  readonly #bySecond: LoadResult['bySecond'] = [];
  readonly #failed: Record<string, number> = {};
  /** times at which requests were due that no connection was free for, oldest first from `#waitingFrom` on */
  #waiting: number[] = [];
  #waitingFrom = 0;
  #free: Client[] = [];
  #next = 0;
  #answerBytes = 0;
  #over20ms = 0;
  #fromMs = Infinity;
  #untilMs = Infinity;
  #secondEndsMs = Infinity;
  #stopped = false;
  #outstanding = 0;

  constructor(private readonly order: LoadOrder) {
    this.#requests = order.bodies.map((body) => requestOf(order, body));
    this.#checker = order.expected === null ? null : new Checker(order.expected);
    this.#clients = Array.from({ length: order.connections }, () => this.#newClient());
  }

  stop(): void {
    this.#stopped = true;
  }

  async run(): Promise<LoadResult> {
    const { warmupSeconds, seconds, rate } = this.order;
    const startMs = performance.now();
    this.#fromMs = startMs + warmupSeconds * 1000;
    this.#untilMs = seconds === null ? Infinity : this.#fromMs + seconds * 1000;
    this.#secondEndsMs = this.#fromMs + 1000;
    const cpu = measureCpu(this.#fromMs);
    if (rate === null) await this.#closedLoop();
    else await this.#openLoop(rate);
    const endMs = Math.min(performance.now(), this.#untilMs);
    const generatorCpu = cpu();
    await this.#drain();
    for (const { connection } of this.#clients) connection.close();
    const measured = (endMs - this.#fromMs) / 1000;
    return {
      requests: this.#latencies.length,
      seconds: measured,
      perSecond: this.#latencies.length / measured,
      meanAnswerBytes: this.#answerBytes / this.#latencies.length,
      latency: this.#latencies.latency(),
      failed: this.#failed,
      generatorCpu,
      generatorLagP99: this.#lags.quantiles([0.99])[0] ?? NaN,
      over20ms: this.#over20ms,
      swaps: this.#checker?.swaps ?? [],
      bySecond: this.#bySecond,
    };
  }

  async #closedLoop(): Promise<void> {
    for (const client of this.#clients) this.#send(client, performance.now());
    while (!this.#isOver()) await new Promise((resolve) => setTimeout(resolve, 20));
    this.#stopped = true;
  }

  /** Requests become due by the clock alone: a slow answer delays none, and what a connection had to wait for counts as latency. */
  async #openLoop(rate: number): Promise<void> {
    this.#free = [...this.#clients];
    const gap = (): number => (this.order.arrivals === 'even' ? 1 : -Math.log(1 - Math.random())) * (1000 / rate);
    let dueMs = performance.now();
    while (!this.#isOver()) {
      const nowMs = performance.now();
      for (; dueMs <= nowMs; dueMs += gap()) {
        if (dueMs >= this.#fromMs) this.#lags.add(nowMs - dueMs);
        if (this.#waiting.length - this.#waitingFrom < MAX_WAITING) this.#waiting.push(dueMs);
        else this.#fail('the queue of the generator is full');
      }
      this.#sendWaiting();
      const waitMs = dueMs - performance.now();
      if (waitMs > SLEEP_OVER_MS) await new Promise((resolve) => setTimeout(resolve, waitMs - WAKE_BEFORE_MS));
      else await new Promise((resolve) => setImmediate(resolve));
    }
    this.#stopped = true;
  }

  #sendWaiting(): void {
    while (this.#waitingFrom < this.#waiting.length) {
      // the one that has been free for the longest: no connection idles until the server closes it
      const client = this.#free.shift();
      if (client === undefined) break;
      this.#send(client, this.#waiting[this.#waitingFrom++] as number);
    }
    if (this.#waitingFrom === this.#waiting.length && this.#waitingFrom > 0) {
      this.#waiting = [];
      this.#waitingFrom = 0;
    }
  }

  #isOver(): boolean {
    return this.#stopped || performance.now() >= this.#untilMs;
  }

  #send(client: Client, dueMs: number): void {
    client.position = this.#next;
    client.dueMs = dueMs;
    this.#next = (this.#next + 1) % this.#requests.length;
    this.#outstanding += 1;
    client.connection.send(this.#requests[client.position] as Buffer);
  }

  #newClient(): Client {
    const client: Client = {
      position: 0,
      dueMs: 0,
      generation: 0,
      connection: new Connection(
        this.order.port,
        this.#checker !== null,
        (status, bytes, body) => {
          this.#answered(client, status, bytes, body);
          this.#goOn(client);
        },
        (why) => {
          this.#fail(why);
          this.#goOn(client);
        },
      ),
    };
    return client;
  }

  #answered(client: Client, status: number, bytes: number, body: Buffer | null): void {
    const nowMs = performance.now();
    const tookMs = nowMs - client.dueMs;
    if (status !== 200) {
      this.#fail(`status ${status}`);
      return;
    }
    if (body !== null && this.#checker !== null) {
      const at = { nowMs, tookMs };
      const { wrong, generation } = this.#checker.check(body, client.position, client.generation, at);
      client.generation = generation;
      if (wrong !== null) this.#fail(wrong);
    }
    // Where requests are due by the clock, each that was due in time counts, however late its answer: the slowest are the point.
    const decides = this.order.rate === null ? nowMs : client.dueMs;
    if (decides < this.#fromMs || decides >= this.#untilMs) return;
    this.#latencies.add(tookMs);
    this.#answerBytes += bytes;
    if (tookMs > SLOW_MS) this.#over20ms += 1;
    while (nowMs >= this.#secondEndsMs) this.#endSecond();
    this.#thisSecond.add(tookMs);
  }

  #goOn(client: Client): void {
    this.#outstanding -= 1;
    if (this.order.rate !== null) {
      this.#free.push(client);
      this.#sendWaiting();
    } else if (!this.#stopped) this.#send(client, performance.now());
  }

  #fail(why: string): void {
    this.#failed[why] = (this.#failed[why] ?? 0) + 1;
  }

  #endSecond(): void {
    const [p50 = NaN, p99 = NaN] = this.#thisSecond.quantiles([0.5, 0.99]);
    this.#bySecond.push({ p50, p99, requests: this.#thisSecond.length });
    this.#thisSecond.clear();
    this.#secondEndsMs += 1000;
  }

  /** What is on its way when the time is over is waited for; what never comes is a failure. */
  async #drain(): Promise<void> {
    const giveUpMs = performance.now() + DRAIN_MS;
    const left = (): number => this.#outstanding + this.#waiting.length - this.#waitingFrom;
    while (left() > 0 && performance.now() < giveUpMs) await new Promise((resolve) => setTimeout(resolve, 5));
    if (left() > 0) this.#failed['not answered in time'] = left();
  }
}

function requestOf({ port, path }: LoadOrder, body: string): Buffer {
  const bytes = Buffer.from(body);
  const head =
    `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-type: application/json\r\n` +
    `content-length: ${bytes.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), bytes]);
}

/** @returns what gives the share of a core that this process used since `fromMs` */
function measureCpu(fromMs: number): () => number {
  let before = process.cpuUsage();
  const timer = setTimeout(() => (before = process.cpuUsage()), Math.max(0, fromMs - performance.now()));
  return () => {
    clearTimeout(timer);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000 / (performance.now() - fromMs);
  };
}
