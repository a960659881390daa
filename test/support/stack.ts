import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startStack, type Part, type Stack } from '../../stack/index.js';

const USERS_OWN = [
  'TEMPORAL_ADDRESS',
  'MONGODB_URI',
  'S3_ENDPOINT',
  'MLFLOW_TRACKING_URI',
  'SLUICE_PYTHON',
  'S3_BUCKET',
  'SLUICE_ADMIN_TOKEN',
];

/** The environment without what would replace the stack's own servers: a test never touches the user's. */
export function testEnv(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !USERS_OWN.includes(name)));
}

export interface TestStack {
  env: Record<string, string>;
  stack: Stack;
  stateDir: string;
  /** Ends the servers and removes their state. */
  stop(): Promise<void>;
}

/**
 * Real servers for one test file: `beforeAll(async () => { servers = await startTestStack(['mongo', 's3']); })`,
 * `afterAll(() => servers?.stop())`. They start in a temporary state directory; `env` holds the variables of platform/config.ts.
 */
export async function startTestStack(parts: readonly Part[]): Promise<TestStack> {
  const stateDir = await mkdtemp(join(tmpdir(), 'sluice-test-'));
  const problems: string[] = [];
  let stack: Stack;
  try {
    stack = await startStack({
      stateDir,
      parts,
      env: testEnv(),
      log: ({ message, phase }) => void (phase === 'info' || phase === 'died' ? problems.push(message) : undefined),
    });
  } catch (error) {
    await rm(stateDir, { recursive: true, force: true });
    if (problems.length > 0) (error as Error).message += `\n${problems.join('\n')}`;
    throw error;
  }
  return {
    env: stack.env,
    stack,
    stateDir,
    stop: async () => {
      await stack.stop();
      await rm(stateDir, { recursive: true, force: true });
    },
  };
}
