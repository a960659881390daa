import { execa } from 'execa';
import { projectPath } from '../../platform/project.js';
import { testEnv } from './stack.js';

export interface CliResult {
  exitCode: number;
  stdout: string;
  stderr: string;
  json: Record<string, unknown>;
}

export type CliProcess = ReturnType<Cli['start']>;

/** The `sluice` command as a user runs it, from the build, in a directory of its own. */
export class Cli {
  constructor(
    readonly directory: string,
    private readonly env: Record<string, string> = {},
  ) {}

  start(...args: string[]) {
    return execa(process.execPath, [projectPath('bin', 'sluice.mjs'), ...args], {
      cwd: this.directory,
      env: { ...testEnv(), ...this.env },
      extendEnv: false,
      reject: false,
      all: true,
      forceKillAfterDelay: 60_000,
    });
  }

  async run(...args: string[]): Promise<CliResult> {
    const { exitCode, stdout, stderr } = await this.start(...args);
    const json = args.includes('--json') && stdout !== '' ? (JSON.parse(stdout) as Record<string, unknown>) : {};
    return { exitCode: exitCode ?? -1, stdout, stderr, json };
  }
}
