/** The servers the stack can run; each can be replaced by the user's own (see `parts/external.ts`). */
export const SERVERS = ['temporal', 'mongo', 's3', 'mlflow'] as const;
export type Server = (typeof SERVERS)[number];

/** What a stack can be asked for: servers, and `python`, which is installed and not run (SLUICE_PYTHON; `mlflow` brings it along). */
export type Part = Server | 'python';

/** One thing that happened, for a progress display or a log. */
export interface StackEvent {
  /** a server, one of our processes, a tool that is being installed, or `stack` itself */
  part: string;
  phase: 'installing' | 'installed' | 'starting' | 'ready' | 'died' | 'restarting' | 'stopping' | 'stopped' | 'info';
  message: string;
}
export type StackLog = (event: StackEvent) => void;

/** What is known of one running part; recorded in the state directory, so that other commands can show it. */
export interface PartInfo {
  name: string;
  /** how a person or a client reaches it: a URL or host:port; of a worker, which only calls out, where its metrics are */
  address: string;
  /** null for the user's own server and while the part is being restarted */
  pid: number | null;
  /** null for the user's own server */
  logFile: string | null;
  external: boolean;
  /** `silent` is what `status` says of one that is up and does not answer */
  state: 'starting' | 'ready' | 'restarting' | 'stopped' | 'silent';
  restarts: number;
}

/** Why a stack is no longer there. */
export interface StackEnd {
  reason: 'stopped' | 'failed';
  error?: Error;
}

/** One of our own processes that the stack runs beside the servers. */
export interface OwnProcess {
  name: string;
  command: string;
  args: string[];
  /** what this process gets beyond the base environment (PATH, HOME, proxies); nothing else reaches it */
  env: Record<string, string>;
  /** when it counts as ready: an answer below 400 at a URL, or a line in its output */
  ready: { url: string } | { line: RegExp };
  /** where it can be reached: a scorer's base URL, a worker's metrics */
  address?: string;
}

export interface Stack {
  /** the variables of `platform/config.ts` that the running parts provide, and TEMPORAL_UI_URL */
  readonly env: Record<string, string>;
  parts(): PartInfo[];
  /** Ends everything in order (own processes, then servers); calling it again hurries: no more grace. */
  stop(): Promise<void>;
  /** Resolves when the stack has ended, whoever ended it. Never rejects. */
  readonly ended: Promise<StackEnd>;
}
