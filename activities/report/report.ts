import { mkdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { toFileError } from '../../platform/files.js';
import type { ObjectStore } from '../../platform/object-store.js';
import type { ReleaseReport, ReportActivities } from './contract.js';
import { MODEL_PROGRESS_COLUMNS, PROGRESS_COLUMNS, withRelease } from './progress-file.js';

export interface ReportDeps {
  store: Pick<ObjectStore, 'get'>;
  /** where the user wants reports; created when it is missing */
  directory: string;
}

/** What the snapshot step wrote about the data, copied beside the report. */
const SNAPSHOT_REPORTS = ['ingestion_summary.json', 'data_lineage.json', 'data_freshness.json'] as const;
const PROMOTION_FILE = 'registry_promotion.json';

export function createReportActivities({ store, directory }: ReportDeps): ReportActivities {
  const target = resolve(directory);
  // Reading and replacing a file is one step: two releases that end together must not lose a row to each other.
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = last.then(work);
    last = mine.catch(() => undefined);
    return mine;
  };

  return {
    writeReport: (report) =>
      inTurn(async () => {
        try {
          await mkdir(target, { recursive: true });
          const files = [
            await addRow(join(target, 'PROGRESS.md'), 'Progress', PROGRESS_COLUMNS, report),
            await addRow(
              join(target, 'fraud_model_progress.md'),
              'Fraud model progress',
              MODEL_PROGRESS_COLUMNS,
              report,
            ),
            await writePromotion(join(target, PROMOTION_FILE), report),
            ...(await copySnapshotReports(store, target, report.snapshotPrefix)),
          ];
          return { directory: target, files };
        } catch (error) {
          throw toFileError(error, target, 'SLUICE_REPORTS_DIR');
        }
      }),
  };
}

async function addRow(
  path: string,
  title: string,
  columns: typeof PROGRESS_COLUMNS,
  report: ReleaseReport,
): Promise<string> {
  const existing = await readIfThere(path);
  await writeFileAtomic(path, withRelease(existing, title, columns, report));
  return path;
}

/** The newest release's promotion, for machines; a late retry of an older one does not replace it. */
async function writePromotion(path: string, report: ReleaseReport): Promise<string> {
  const existing = await readIfThere(path);
  if (existing !== null && finishedAtOf(existing) > report.finishedAt) return path;
  const document = {
    model: report.model,
    release_id: report.releaseId,
    status: report.status,
    mlflow_run_id: report.runId,
    model_version: report.modelVersion,
    stage: report.stage,
    bundle_version: report.bundleVersion,
    generation: report.generation,
    data_snapshot_id: report.dataSnapshotId,
    metrics: report.metrics,
    gates: report.gates,
    actor: report.actor,
    reason: report.reason,
    overrides: report.overrides ?? [],
    override_reason: report.overrideReason ?? null,
    identity_unproven: report.unproven ?? [],
    finished_at: report.finishedAt,
  };
  await writeFileAtomic(path, JSON.stringify(document, null, 2) + '\n');
  return path;
}

/** A snapshot that was never finished has none of them: the report then goes without. */
async function copySnapshotReports(
  store: Pick<ObjectStore, 'get'>,
  target: string,
  prefix: string | null,
): Promise<string[]> {
  if (prefix === null) return [];
  const written: string[] = [];
  for (const name of SNAPSHOT_REPORTS) {
    const object = await store.get(`${prefix.replace(/\/*$/, '/')}${name}`);
    if (object === null) continue;
    const path = join(target, name);
    await writeFileAtomic(path, object.bytes);
    written.push(path);
  }
  return written;
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Empty for a file that is not ours. */
function finishedAtOf(text: string): string {
  try {
    const { finished_at: finishedAt } = JSON.parse(text) as { finished_at?: unknown };
    return typeof finishedAt === 'string' ? finishedAt : '';
  } catch {
    return '';
  }
}
