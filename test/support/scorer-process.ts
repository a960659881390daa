import { execa } from 'execa';
import { projectPath } from '../../platform/project.js';

const START_TIMEOUT_MS = 30_000;

export interface ScorerProcess {
  pid: number;
  address: string;
  /** its log so far */
  output(): string;
  signal(name: NodeJS.Signals): void;
  /** resolves with the exit code; null after a signal */
  exited: Promise<number | null>;
}

function spawn(env: Record<string, string>) {
  return execa('node', ['dist/scoring/main.js'], {
    cwd: projectPath(),
    env: {
      PATH: process.env['PATH'] ?? '',
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
      SCORER_PORT: '0',
      SCORER_PROCESSES: '1',
      ...env,
    },
    extendEnv: false,
    all: true,
    buffer: false,
    reject: false,
  });
}

/** `dist/scoring/main.js` as a process of its own, once it says `ready`; fails with its log when it ends before. */
export async function startScorerProcess(env: Record<string, string>): Promise<ScorerProcess> {
  const child = spawn(env);
  let output = '';
  const address = new Promise<string>((resolve) => {
    child.all.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
      const ready = /"address":"([^"]+)".*"msg":"ready"/.exec(output);
      if (ready?.[1] !== undefined) resolve(ready[1]);
    });
  });
  const exited = child.then(({ exitCode }) => exitCode ?? null);
  const found = await Promise.race([
    address,
    exited.then((code) => new Error(`the scorer ended with ${code}:\n${output}`)),
    new Promise<Error>((resolve) =>
      setTimeout(() => resolve(new Error(`the scorer was not ready in time:\n${output}`)), START_TIMEOUT_MS).unref(),
    ),
  ]);
  if (found instanceof Error) {
    child.kill('SIGKILL');
    throw found;
  }
  return {
    pid: child.pid as number,
    address: found,
    output: () => output,
    signal: (name) => void child.kill(name),
    exited,
  };
}
