import type { Output } from './output.js';
import type { Session } from './session.js';

/** What every command gets from the composition root. */
export interface Cli {
  readonly output: Output;
  /** who acts: `--actor`, else the user's name */
  readonly actor: string;
  /** the actor's token, or null where the principal has none */
  readonly token: string | null;
  readonly modelsDirectory: string;
  readonly stateDirectory: string;
  /** Runs a command on the running system and sets the exit code it returns. */
  withSession(work: (session: Session) => Promise<number>): Promise<void>;
  setExitCode(code: number): void;
}
