import type { ImportProgress } from '../../ingest/index.js';
import type { Settings } from '../../platform/config.js';
import type { Cli } from '../cli.js';
import { EXIT } from '../exit-codes.js';
import { rowsOf } from '../output.js';

/** How an import tells of itself and is stopped. */
interface Told {
  onProgress(progress: Pick<ImportProgress, 'read' | 'refused'> & Partial<ImportProgress>): void;
  signal: AbortSignal;
}

/**
 * Runs an import with something of its own that is open meanwhile. Ctrl-C stops it between two batches: how many rows it has imported is said, and the exit code is that of an
 * interruption. An import may be repeated, so that is how it goes on.
 * @param work gets `told`, whose argument is how many rows are worth a line
 */
export function runImport<Open extends { close(): Promise<void> }>(
  cli: Cli,
  open: (settings: Settings) => Promise<Open>,
  work: (open: Open, told: (everyRows: number) => Told) => Promise<number>,
): Promise<void> {
  return cli.withSettings(async (settings) => {
    const opened = await open(settings);
    let imported = 0;
    const told = (everyRows: number): Told => {
      let shown = 0;
      return {
        signal: cli.interrupted,
        onProgress: ({ read, refused, inserted, updated = 0, unchanged = 0 }) => {
          // of transactions, some that were read wait for their batch
          imported = inserted === undefined ? read - refused : inserted + updated + unchanged;
          if (read - shown < everyRows) return;
          shown = read;
          cli.output.line(`· ${rowsOf(read)}`);
        },
      };
    };
    try {
      return await work(opened, told);
    } catch (error) {
      if (!cli.interrupted.aborted) throw error;
      cli.output.result(
        { interrupted: true, imported },
        () => `interrupted: ${rowsOf(imported)} imported; run it again to import the rest`,
      );
      return EXIT.interrupted;
    } finally {
      await opened.close();
    }
  });
}
