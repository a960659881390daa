import { SluiceError } from '../../platform/errors.js';
import { modelFolders } from '../../platform/model-folders.js';
import type { Cli } from '../cli.js';
import { EXIT, exitCodeOf, type CutOff } from '../exit-codes.js';
import type { Session } from '../session.js';
import { findRun, readProgress, startRun } from './access.js';
import { decide, type Choice } from './decide.js';
import { followRun } from './follow.js';
import type { RunKind, RunProgress, RunRef, RunStart, Shown } from './kind.js';
import { listRuns } from './list.js';

/** What the command line does with runs of one kind; each returns the exit code. */
export interface RunActions<Ref extends RunRef> {
  /** starts a run, or finds it, and watches it where asked */
  start(session: Session, start: RunStart<Ref>, options: { watch: boolean }): Promise<number>;
  /** follows a run to its end */
  watch(session: Session, ref: Ref, options?: { goesOn?: string }): Promise<number>;
  show(session: Session, ref: Ref): Promise<number>;
  list(session: Session, limit: number): Promise<number>;
  decide(
    session: Session,
    ref: Ref,
    choice: Pick<Choice, 'verdict' | 'reason' | 'digest' | 'edits' | 'overrides'>,
  ): Promise<number>;
  cancel(session: Session, ref: Ref): Promise<number>;
}

/** The one way to start, find, list, watch and decide a run. */
export function defineRun<Ref extends RunRef, Progress extends RunProgress>(
  cli: Cli,
  kind: RunKind<Ref, Progress>,
): RunActions<Ref> {
  const { output } = cli;
  const { command, present, frame } = wordsOf(cli, kind);

  const watch: RunActions<Ref>['watch'] = async (session, ref, options = {}) => {
    const { handle } = await findRun(session, kind, ref);
    const name = `${kind.noun} ${kind.words(ref)}`;
    const { progress, error } = await followRun<Progress>(cli, session, handle, {
      title: `${name} of ${ref.model}`,
      goesOn: options.goesOn ?? `${name} goes on; watch it again with \`${command('watch', ref)}\``,
      frame: frame(ref),
    });
    const { cutOff } = await findRun(session, kind, ref);
    return await present(session, handle.workflowId, { ref, progress: ended(progress, cutOff), error }, false);
  };

  return {
    watch,
    async start(session, start, options) {
      const { ref } = start;
      const { started, handle } = await startRun(session, kind, start);
      const url = session.uiUrl(handle.workflowId);
      output.line(`${started ? 'started' : 'found'} ${kind.noun} ${kind.words(ref)} of ${ref.model}`);
      output.line(url);
      if (options.watch) return await watch(session, ref);
      output.result({ ...ref, started, workflowId: handle.workflowId, url }, () => '');
      return EXIT.ok;
    },
    async show(session, ref) {
      const { handle, cutOff } = await findRun(session, kind, ref);
      const progress = ended(await readProgress<Progress>(handle), cutOff);
      return await present(session, handle.workflowId, { ref, progress, error: null }, true);
    },
    async list(session, limit) {
      const found = await listRuns(session, kind, limit);
      output.result(found, () =>
        found.length === 0
          ? `no ${kind.noun} runs yet`
          : found
              .map(
                (run) =>
                  `${run.startedAt.slice(0, 19)}  ${run.status.padEnd(18)}  ${kind.listed(run)}\n${run.summary === null ? '' : `  ${run.summary}\n`}  ${session.uiUrl(run.workflowId)}`,
              )
              .join('\n'),
      );
      return EXIT.ok;
    },
    async decide(session, ref, choice) {
      const { handle } = await findRun(session, kind, ref);
      const { verdict } = choice;
      const sent = await decide(handle, { ...choice, actor: cli.actor, token: cli.token }, command('show', ref));
      const url = session.uiUrl(handle.workflowId);
      output.result(
        { ...ref, verdict, actor: cli.actor, ...sent, url },
        () => `${verdict === 'approve' ? 'approved' : 'rejected'} ${kind.words(ref)} as ${cli.actor}\n${url}`,
      );
      return EXIT.ok;
    },
    async cancel(session, ref) {
      const { handle, isRunning, cutOff } = await findRun(session, kind, ref);
      const url = session.uiUrl(handle.workflowId);
      const name = `${kind.noun} ${kind.words(ref)}`;
      if (!isRunning) {
        const { status } = ended(await readProgress<Progress>(handle), cutOff);
        throw new SluiceError('Conflict', `${name} has already finished (${status}); nothing to cancel\n${url}`);
      }
      await handle.cancel();
      output.result(
        { ...ref, cancelled: true, url },
        () => `${name} is being cancelled; \`${command('watch', ref)}\` shows how it ends\n${url}`,
      );
      return EXIT.ok;
    },
  };
}

/** How runs of a kind are shown, and what is typed to see or decide one. */
function wordsOf<Ref extends RunRef, Progress extends RunProgress>(cli: Cli, kind: RunKind<Ref, Progress>) {
  /** `sluice refresh show 2025-06-30 --job fxRates` */
  const command = (verb: string, ref: Ref): string => {
    const models = modelFolders(cli.modelsDirectory);
    const model = models.length === 1 && models[0] === ref.model ? '' : ` --model ${ref.model}`;
    return `sluice ${kind.noun} ${verb} ${kind.words(ref)}${model}`;
  };
  const approveCommand = (ref: Ref, progress: Progress): string =>
    `${command('approve', ref)} --reason TEXT${kind.approveWords?.(progress) ?? ''}`;

  const frame = (ref: Ref) => (progress: Progress) => {
    const waits = progress.approval ?? null;
    return {
      items: kind.items?.(progress) ?? [],
      waits:
        waits === null
          ? null
          : {
              what: `waits for a decision until ${waits.deadline}: ${approveCommand(ref, progress)}   (or reject)`,
              proposal: kind.proposal?.(progress) ?? null,
            },
    };
  };

  const present = async (
    session: Session,
    workflowId: string,
    end: Pick<Shown<Ref, Progress>, 'ref' | 'progress' | 'error'>,
    withSteps: boolean,
  ): Promise<number> => {
    const { ref, progress, error } = end;
    const url = session.uiUrl(workflowId);
    const more = (await kind.more?.(session, workflowId, progress)) ?? {};
    cli.output.result({ ...ref, ...progress, error, ...more, url }, () =>
      kind.text({ ref, progress, error, url, more, approve: approveCommand(ref, progress) }, withSteps),
    );
    return exitCodeOf(progress.status);
  };
  return { command, frame, present };
}

/** What a run says of itself, and how it ended where somebody else ended it. */
function ended<Progress extends RunProgress>(progress: Progress, cutOff: CutOff | null): Progress {
  return cutOff === null ? progress : { ...progress, status: cutOff };
}
