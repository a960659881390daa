/** What takes back a deed. */
interface Undo {
  name: string;
  undo: () => Promise<void>;
}

/** What a failed run takes back. An undo is registered before its deed, so it must bear that the deed never happened. */
export class Undos {
  private registered: Undo[] = [];

  /** Registers the undo, then does the deed. */
  async before<T>(name: string, undo: () => Promise<void>, deed: () => Promise<T>): Promise<T> {
    this.registered.push({ name, undo });
    return await deed();
  }

  /** The deeds are final: nothing is taken back any more. */
  clear(): void {
    this.registered = [];
  }

  /** Runs each undo once, newest first. One that fails does not stop the others; returns those that failed. */
  async unwind(): Promise<{ name: string; error: unknown }[]> {
    const undos = this.registered.reverse();
    this.registered = [];
    const failures: { name: string; error: unknown }[] = [];
    for (const { name, undo } of undos) {
      try {
        await undo();
      } catch (error) {
        failures.push({ name, error });
      }
    }
    return failures;
  }
}
