import { join } from 'node:path';
import { projectPath } from '../../platform/project.js';
import type { OwnProcess } from '../types.js';

/** Exchange rates without the internet: the ECB's own history out of `data/`, in the ECB's format, at the ECB's paths. */
export function fxProcess(port: number, stateDir: string): OwnProcess {
  const address = `http://127.0.0.1:${port}`;
  return {
    name: 'fx',
    command: process.execPath,
    args: ['--enable-source-maps', projectPath('dist', 'stack', 'fx', 'main.js')],
    env: { FX_REPLAY_PORT: String(port), FX_REPLAY_OUTAGE_FILE: join(stateDir, 'fx-outage') },
    ready: { url: `${address}/health` },
    address,
  };
}
