import type { Settings } from '../platform/config.js';
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
  /** the environment, `.env` included, for the stack's own composition root */
  readonly env: NodeJS.ProcessEnv;
  /** aborted by Ctrl-C, SIGTERM and SIGHUP */
  readonly interrupted: AbortSignal;
  /** Called at every interruption: a second one hurries. */
  onInterrupt(listener: () => void): void;
  /** Runs a command with the running stack's settings, or the environment's. */
  withSettings(work: (settings: Settings) => Promise<number>): Promise<void>;
  /** The same with a connection to Temporal; the number is the exit code. */
  withSession(work: (session: Session) => Promise<number>): Promise<void>;
  setExitCode(code: number): void;
}
