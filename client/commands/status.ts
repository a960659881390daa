import { Command } from 'commander';
import { PROBE_MS } from '../../stack/probe.js';
import { readStackEnv, status, type StackStatus } from '../../stack/status.js';
import type { PartInfo } from '../../stack/types.js';
import type { Cli } from '../cli.js';
import { EXIT } from '../exit-codes.js';
import { duration } from '../output.js';
import type { LiveBundle } from '../status/live.js';

/** `sluice status`. */
export function statusCommand(cli: Cli): Command {
  return new Command('status')
    .addHelpText(
      'after',
      `
What a terminated run left behind (aliases, stages, a live bundle without a smoke test) is put right and reported.
Every part is asked for a sign of life and has ${PROBE_MS / 1000} s for it: "silent" is one that runs and does not answer.

Exit code 6: no stack is running, or a part is silent.

Example:
  sluice status`,
    )
    .action(async () => {
      const found = await status({ stateDir: cli.stateDirectory });
      const env = readStackEnv(cli.stateDirectory) ?? {};
      const { probeParts } = await import('../../stack/probe.js');
      const parts = await probeParts(found.parts, { ...cli.env, ...env });
      const live = await whatIsLive(cli, { running: found.running, parts, env });
      const settled = await settle(cli, live, env);
      const shown = { ...found, parts, temporalUi: env['TEMPORAL_UI_URL'] ?? null, live, settled };
      cli.output.result(shown, () =>
        [statusText(cli.stateDirectory, shown), ...liveLines(live), ...settled].join('\n'),
      );
      cli.setExitCode(found.running && parts.every(({ state }) => state !== 'silent') ? EXIT.ok : EXIT.unreachable);
    });
}

/** What is live, or why nobody can tell; null while the stack has no servers to ask. */
type Live = LiveBundle[] | { error: string } | null;

async function whatIsLive(
  cli: Cli,
  { running, parts, env }: { running: boolean; parts: readonly PartInfo[]; env: Record<string, string> },
): Promise<Live> {
  if (!running || env['S3_ENDPOINT'] === undefined) return null;
  const silent = parts.find(({ name, state }) => name === 's3' && state === 'silent');
  if (silent !== undefined) return { error: `S3 at ${silent.address} does not answer` };
  try {
    const [{ loadSettings }, { liveBundles }] = await Promise.all([
      import('../../platform/config.js'),
      import('../status/live.js'),
    ]);
    return await liveBundles(loadSettings({ ...env, ...cli.env }), cli.modelsDirectory);
  } catch (error) {
    return { error: (error as Error).message };
  }
}

/** What was wrong with what is live, a line each. Where nobody can be asked, the parts say so. */
async function settle(cli: Cli, live: Live, env: Record<string, string>): Promise<string[]> {
  if (live === null || 'error' in live) return [];
  const models = live.flatMap(({ model, environment }) => (environment === 'production' ? [model] : []));
  if (models.length === 0) return [];
  try {
    const [{ loadSettings }, { settleModels }] = await Promise.all([
      import('../../platform/config.js'),
      import('../status/settle.js'),
    ]);
    const known = { ...env, ...cli.env };
    return await settleModels(loadSettings(known), known, models);
  } catch {
    return [];
  }
}

function liveLines(live: Live): string[] {
  if (live === null) return [];
  if ('error' in live) return [`what is live cannot be read: ${live.error}`];
  if (live.length === 0) return ['nothing is live yet'];
  return live.map(
    ({ model, environment, version, generation, since, actor, reason }) =>
      `live       ${model} ${environment}: ${version}, generation ${generation}, since ${since.slice(0, 19)}Z by ${actor}: ${reason}`,
  );
}

/** The parts, a line each. */
export function statusText(
  stateDirectory: string,
  found: Pick<StackStatus, 'running' | 'parts' | 'startedAt'> & { temporalUi: string | null },
): string {
  if (!found.running) return `no stack is running in ${stateDirectory}: start one with \`sluice up\` or \`npm start\``;
  const parts = found.parts.map(
    (part) =>
      `${part.state.padEnd(10)} ${part.name.padEnd(16)} ${part.external ? `${part.address} (yours)` : part.address}${part.restarts === 0 ? '' : `  restarted ${part.restarts} times`}`,
  );
  return [
    ...parts,
    ...(found.temporalUi === null ? [] : [`${''.padEnd(10)} ${'Temporal UI'.padEnd(16)} ${found.temporalUi}`]),
    ...(found.startedAt === null
      ? []
      : [`started ${found.startedAt.slice(0, 19)}Z, up for ${duration(Date.now() - Date.parse(found.startedAt))}`]),
  ].join('\n');
}
