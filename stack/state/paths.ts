import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { SluiceError } from '../../platform/errors.js';

/** Where everything of one stack lies. */
export interface StatePaths {
  root: string;
  /** says that this directory is ours; nothing is ever removed without it */
  marker: string;
  lock: string;
  /** the running stack: parent, watchdog, processes */
  record: string;
  /** the running stack's variables, for the client; holds secrets */
  env: string;
  ports: string;
  secrets: string;
  signingKey: string;
  trustedKeys: string;
  principals: string;
  logs: string;
  temporalDb: string;
  mongo: string;
  s3: string;
  mlflow: string;
}

const MARKER_TEXT = 'The state of a Sluice stack. `sluice down --purge` removes it.\n';

/** The paths below a state directory; makes nothing. */
export function statePaths(stateDir: string): StatePaths {
  const root = resolve(stateDir);
  const below = (...parts: string[]): string => join(root, ...parts);
  return {
    root,
    marker: below('.sluice-state'),
    lock: below('stack.lock'),
    record: below('stack.json'),
    env: below('env.json'),
    ports: below('ports.json'),
    secrets: below('keys', 'secrets.json'),
    signingKey: below('keys', 'signing.pem'),
    trustedKeys: below('keys', 'trusted.json'),
    principals: below('principals.json'),
    logs: below('logs'),
    temporalDb: below('temporal', 'temporal.db'),
    mongo: below('mongo'),
    s3: below('s3'),
    mlflow: below('mlflow'),
  };
}

/** Whether the directory was made by `createStateDir`. */
export function isStateDir(paths: StatePaths): boolean {
  return existsSync(paths.marker) && readFileSync(paths.marker, 'utf8') === MARKER_TEXT;
}

/** Makes the state directory, readable by its owner only, and marks it as ours. */
export function createStateDir(stateDir: string): StatePaths {
  const paths = statePaths(stateDir);
  try {
    for (const directory of [
      paths.root,
      join(paths.root, 'keys'),
      paths.logs,
      join(paths.root, 'temporal'),
      paths.mongo,
      paths.s3,
      paths.mlflow,
    ]) {
      makeDirectory(directory);
    }
    if (!isStateDir(paths)) writeFileSync(paths.marker, MARKER_TEXT);
  } catch (error) {
    throw new SluiceError(
      'InvalidInput',
      `the state directory ${paths.root} cannot be written: ${(error as Error).message}; set SLUICE_STATE_DIR to one that can`,
      undefined,
      { cause: error },
    );
  }
  return paths;
}

/** With its parents. Not by `recursive`, with which Node never returns below `/proc`, where nothing can be made. */
function makeDirectory(path: string): void {
  if (existsSync(path)) return;
  makeDirectory(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // another start made it at the same moment
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}
