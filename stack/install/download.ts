import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { lookup } from 'node:dns/promises';
import { basename, join } from 'node:path';
import axios from 'axios';
import { accepts } from '../parts/part.js';
import type { InstallContext } from './context.js';
import { run } from './run.js';

export interface Prebuilt {
  /** of a .tar.gz or .tgz */
  url: string;
  /** a file with lines `<sha256>  <file name>` (the name may be missing where it lists one file), from the same publisher */
  checksumUrl: string;
}

const CONNECT_TIMEOUT_MS = 4_000;
const DOWNLOAD_TIMEOUT_MS = 600_000;

/**
 * Downloads an archive, checks it against the publisher's checksums and unpacks it into `directory`.
 * Throws soon where the publisher cannot be reached; the caller then builds the tool instead.
 */
export async function downloadArchive(
  context: InstallContext,
  part: string,
  title: string,
  prebuilt: Prebuilt,
  directory: string,
): Promise<void> {
  await assertReachable(context.env, new URL(prebuilt.url));
  context.log({ part, phase: 'installing', message: `downloading ${title} from ${new URL(prebuilt.url).host}` });
  const get = async (url: string): Promise<Buffer> => {
    const { data } = await axios.get<ArrayBuffer>(url, {
      responseType: 'arraybuffer',
      timeout: DOWNLOAD_TIMEOUT_MS,
      maxRedirects: 5,
      ...(context.signal === undefined ? {} : { signal: context.signal }),
    });
    return Buffer.from(data);
  };
  const [archive, checksums] = await Promise.all([get(prebuilt.url), get(prebuilt.checksumUrl)]);
  const name = basename(new URL(prebuilt.url).pathname);
  const actual = createHash('sha256').update(archive).digest('hex');
  const expected = checksumOf(checksums.toString('utf8'), name);
  if (expected !== actual)
    throw new Error(`${prebuilt.url} has SHA-256 ${actual}, its publisher lists ${expected ?? 'none'}`);
  const file = join(directory, name);
  writeFileSync(file, archive);
  await run(context, 'tar', ['-xzf', file, '-C', directory], { title: `unpacking ${name}`, part });
  await run(context, 'rm', [file], { title: `removing ${name}`, part });
}

/** The checksum that a list of `<sha256>  <name>` lines gives for a file. */
export function checksumOf(list: string, name: string): string | undefined {
  const lines = list.split('\n').flatMap((line) => {
    const match = /^([0-9a-f]{64})(?:\s+\*?(\S+))?\s*$/i.exec(line);
    return match === null ? [] : [{ sum: match[1]?.toLowerCase(), file: match[2] }];
  });
  return lines.find(({ file }) => file === undefined || basename(file) === name)?.sum;
}

/** Fails within seconds where there is no way there: no name, or nothing that accepts. Behind a proxy only the proxy is tried. */
async function assertReachable(env: NodeJS.ProcessEnv, url: URL): Promise<void> {
  const proxy = env['HTTPS_PROXY'] ?? env['https_proxy'];
  const target = proxy === undefined || proxy === '' ? url : new URL(proxy);
  const port = Number(target.port) || (target.protocol === 'http:' ? 80 : 443);
  const { address } = await Promise.race([
    lookup(target.hostname),
    new Promise<never>((_, reject) =>
      setTimeout(
        () => reject(new Error(`${target.hostname} was not found within ${CONNECT_TIMEOUT_MS / 1000} s`)),
        CONNECT_TIMEOUT_MS,
      ).unref(),
    ),
  ]);
  if (!(await accepts(address, port, CONNECT_TIMEOUT_MS)))
    throw new Error(`${target.hostname}:${port} does not accept connections`);
}
