import { connect } from 'node:net';
import type { ProcessSpec } from '../supervise/supervisor.js';
import type { StatePaths } from '../state/paths.js';

/** A server of the stack. */
export interface ServerPart {
  /** the variables it provides to everything else; known before it runs, so that what needs it can be started early */
  provides: Record<string, string>;
  /** how it is started from its executable */
  spec: (executable: string) => ProcessSpec;
}

/** What every server is built from. */
export interface PartContext {
  paths: StatePaths;
  ports: Record<string, number>;
  /** the environment every child gets */
  base: Record<string, string>;
}

/** The port assigned to a name. */
export function portOf(context: PartContext, name: string): number {
  const port = context.ports[name];
  if (port === undefined) throw new Error(`no port was assigned to ${name}`);
  return port;
}

/** Whether something accepts connections there; much cheaper than asking through a client library. */
export function accepts(host: string, port: number, timeoutMs = 1_000): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: timeoutMs });
    const finish = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => finish(true));
    socket.once('error', () => finish(false));
    socket.once('timeout', () => finish(false));
  });
}
