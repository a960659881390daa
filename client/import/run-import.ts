import type { ImportProgress, ImportSummary } from '../../ingest/index.js';
import type { Settings } from '../../platform/config.js';
import type { Cli } from '../cli.js';
import { EXIT } from '../exit-codes.js';
import { count, rowsOf } from '../output.js';

/** How an import reports its progress and is stopped. */
interface ImportOptions {
  onProgress(progress: Pick<ImportProgress, 'read' | 'refused'> & Partial<ImportProgress>): void;
  signal: AbortSignal;
}

/**
 * Runs an import with something of its own that is open meanwhile. Ctrl-C stops it between two batches, a second one at once; the exit code is that of an
 * interruption. However it ends early, how many rows it has imported is said. An import may be repeated, so that is how it goes on.
 * @param work gets `optionsFor`, whose argument is how many rows are worth a line
 */
export function runImport<Open extends { close(): Promise<void> }>(
  cli: Cli,
  open: (settings: Settings) => Promise<Open>,
  work: (open: Open, optionsFor: (everyRows: number) => ImportOptions) => Promise<number>,
): Promise<void> {
  return cli.withSettings(async (settings) => {
    cli.onInterrupt(secondTime(() => process.exit(EXIT.interrupted)));
    const opened = await open(settings);
    let imported = 0;
    let byKind = '';
    const optionsFor = (everyRows: number): ImportOptions => {
      let shown = 0;
      return {
        signal: cli.interrupted,
        onProgress: ({ read, refused, inserted, updated = 0, unchanged = 0 }) => {
          if (inserted !== undefined)
            byKind = ` (${count(inserted)} new, ${count(updated)} updated, ${count(unchanged)} unchanged)`;
          // of transactions, some that were read wait for their batch
          imported = inserted === undefined ? read - refused : inserted + updated + unchanged;
          if (read - shown < everyRows) return;
          shown = read;
          cli.output.line(`· ${rowsOf(read)}`);
        },
      };
    };
    try {
      return await work(opened, optionsFor);
    } catch (error) {
      if (!cli.interrupted.aborted) {
        if (imported > 0)
          cli.output.error(
            `${rowsOf(imported)} were imported before this${byKind}; importing the file again goes on from there`,
          );
        throw error;
      }
      cli.output.result(
        { interrupted: true, imported },
        () => `interrupted: ${rowsOf(imported)} imported${byKind}; run it again to import the rest`,
      );
      return EXIT.interrupted;
    } finally {
      await opened.close();
    }
  });
}

function secondTime(work: () => void): () => void {
  let before = false;
  return () => {
    if (before) work();
    before = true;
  };
}

/** What an import's exit code says: whether so many rows were rejected that a script should not go on. `max`: what the caller allows, if anything. */
export function importExitCode(
  { read, refused }: Pick<ImportSummary, 'read' | 'refused'>,
  max: number | undefined,
): number {
  const every = read > 0 && refused.count === read;
  return every || (max !== undefined && refused.count > max) ? EXIT.usage : EXIT.ok;
}
