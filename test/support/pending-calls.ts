/** A call to another system that is under way. */
export interface PendingCall {
  readonly name: string;
  /** by the test's clock, ms */
  readonly beganAtMs: number;
  /** The other system does what was asked, once; its answer is still on its way. */
  reach(): void;
  /** The answer arrives; what was not done before is done now. */
  answer(): void;
  /** The line breaks: the caller never learns whether what was asked was done. */
  fail(): void;
}

/** Other systems as a state machine meets them: every call stays under way until the test lets it end. */
export class PendingCalls {
  readonly open: PendingCall[] = [];

  constructor(private readonly onBegin: (call: PendingCall) => void) {}

  begin<T>(name: string, work: () => T | Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      let done: { value: T | Promise<T> } | { error: Error } | null = null;
      const reach = () => {
        try {
          done ??= { value: work() };
        } catch (error) {
          done = { error: error as Error };
        }
        return done;
      };
      const end = () => this.open.splice(this.open.indexOf(call), 1);
      const call: PendingCall = {
        name,
        beganAtMs: Date.now(),
        reach: () => void reach(),
        answer() {
          const result = reach();
          end();
          if ('value' in result) resolve(result.value);
          else reject(result.error);
        },
        fail() {
          end();
          reject(Object.assign(new Error(`${name}: the line broke`), { code: 'ECONNRESET' }));
        },
      };
      this.open.push(call);
      this.onBegin(call);
    });
  }
}

/** Until nothing more happens without a timer or an answer. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
