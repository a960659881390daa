/** Refused attempts in one name before the next must wait. */
const MAX_REFUSED = 5;
/** How long somebody waits then for each further attempt. */
const WAIT_MS = 15 * 60_000;
/** A list of names that is older is read again for a name that is not in it. */
const LIST_IS_FRESH_MS = 10 * 60_000;

/**
 * Who may try to decide just now. Decides in an Update's validator, before anything is written: whoever is let in costs the run's history an
 * activity, and a history has an end. Times are in milliseconds since the epoch.
 */
export class Attempts {
  private names: ReadonlySet<string> | null = null;
  private readAtMs = 0;
  private readonly refusedIn = new Map<string, { count: number; lastMs: number }>();
  private notified = false;

  /** @param names of all principals, as they stand on file now */
  known(names: readonly string[], nowMs: number): void {
    this.names = new Set(names);
    this.readAtMs = nowMs;
  }

  /** Why this name may not even try now; null where it may. Before any names are known, everybody may. */
  refusal(actor: string, nowMs: number): string | null {
    if (this.isUnknown(actor) && nowMs - this.readAtMs < LIST_IS_FRESH_MS)
      return `${actor} is not among the principals as they were read at ${time(this.readAtMs)}; the file is read again for a new name after ${time(this.readAtMs + LIST_IS_FRESH_MS)}`;
    const refused = this.refusedIn.get(actor);
    if (refused === undefined || refused.count < MAX_REFUSED || nowMs - refused.lastMs >= WAIT_MS) return null;
    return `${MAX_REFUSED} attempts in the name of ${actor} were refused; the next is looked at after ${time(refused.lastMs + WAIT_MS)}`;
  }

  isUnknown(actor: string): boolean {
    return this.names !== null && !this.names.has(actor);
  }

  /** One that was let in: it counts as refused until it is allowed, so that those who come meanwhile find it. */
  begin(actor: string, nowMs: number): void {
    // The list is being read again on this name's behalf: the next unknown one waits for its turn.
    if (this.isUnknown(actor)) this.readAtMs = nowMs;
    const { count } = this.refusedIn.get(actor) ?? { count: 0 };
    this.refusedIn.set(actor, { count: count + 1, lastMs: nowMs });
  }

  allowed(actor: string): void {
    this.refusedIn.delete(actor);
  }

  /** Whether people should hear of it now: once, when somebody has used up what a person may get wrong. */
  refused(actor: string): boolean {
    // Without names the run began before there were any, and its history has no such notification.
    if (this.notified || this.names === null || (this.refusedIn.get(actor)?.count ?? 0) < MAX_REFUSED) return false;
    this.notified = true;
    return true;
  }
}

function time(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19) + 'Z';
}
