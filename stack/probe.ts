import { execFile } from 'node:child_process';
import { connect } from 'node:http2';
import { promisify } from 'node:util';
import type { PartInfo } from './types.js';

/** how long a part may take to answer */
export const PROBE_MS = 2_000;

/**
 * Asks every part that counts as ready for a sign of life, all at once: `silent` is what becomes of one that gives none. That a process runs and its port
 * takes connections says nothing: a frozen one does both.
 * @param env the stack's variables over the user's own: MongoDB's address with its credentials, TLS and API key of the user's own Temporal
 */
export function probeParts(
  parts: readonly PartInfo[],
  env: Readonly<Record<string, string | undefined>>,
  deadlineMs = PROBE_MS,
): Promise<PartInfo[]> {
  return Promise.all(
    parts.map(async (part): Promise<PartInfo> => {
      if (part.state !== 'ready') return part;
      const answers = await withDeadline(probeOf(part, env, deadlineMs), deadlineMs);
      return answers ? part : { ...part, state: 'silent' };
    }),
  );
}

async function probeOf(
  part: PartInfo,
  env: Readonly<Record<string, string | undefined>>,
  deadlineMs: number,
): Promise<boolean> {
  const { name, address, pid, external } = part;
  if (name === 'mongo') return mongoAnswers(env['MONGODB_URI'] ?? `mongodb://${address}/`, deadlineMs);
  if (name === 'temporal') return external ? temporalAnswers(address, env, deadlineMs) : http2Answers(address);
  if (address.startsWith('http')) return httpAnswers(address, deadlineMs);
  return pid === null ? true : !(await isStopped(pid));
}

async function withDeadline(probe: Promise<boolean>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => (timer = setTimeout(() => resolve(false), ms)));
  try {
    return await Promise.race([probe.catch(() => false), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Any answer will do, a refusal too. */
async function httpAnswers(address: string, ms: number): Promise<boolean> {
  const response = await fetch(address, { redirect: 'manual', signal: AbortSignal.timeout(ms) });
  await response.body?.cancel();
  return true;
}

async function mongoAnswers(uri: string, ms: number): Promise<boolean> {
  const { connectMongo } = await import('../platform/mongo.js');
  const { close } = await connectMongo({ uri, database: 'admin', serverSelectionTimeoutMs: ms, answerTimeoutMs: ms });
  await close();
  return true;
}

/** A server of HTTP/2, gRPC's too, says its settings first: no client of Temporal's has to be loaded for that. */
function http2Answers(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const session = connect(`http://${address}`);
    session.unref();
    const finish = (answer: boolean): void => {
      session.destroy();
      resolve(answer);
    };
    session.once('remoteSettings', () => finish(true));
    session.once('error', () => finish(false));
  });
}

/** The user's own may ask for TLS and a key. */
async function temporalAnswers(
  address: string,
  env: Readonly<Record<string, string | undefined>>,
  ms: number,
): Promise<boolean> {
  const [{ Connection }, { temporalConnection }] = await Promise.all([
    import('@temporalio/client'),
    import('../platform/temporal.js'),
  ]);
  const connection = await Connection.connect({
    ...temporalConnection({ ...env, TEMPORAL_ADDRESS: address }),
    connectTimeout: ms,
  });
  await connection.close();
  return true;
}

/** A worker only calls out; that it was stopped by a signal is what can be seen of it. */
async function isStopped(pid: number): Promise<boolean> {
  const { stdout } = await promisify(execFile)('ps', ['-o', 'stat=', '-p', String(pid)]);
  return stdout.trim().startsWith('T');
}
