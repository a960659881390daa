import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { ECB_FILES, ecbXml, readEcbCsv } from './documents.js';

/** Below this, as at the ECB. */
const FOLDER = '/stats/eurofxref/';

export interface ReplayOptions {
  /** the ECB's history as CSV */
  csvFile: string;
  /** while a file of this name exists, every document is answered with 503: how an outage is played */
  outageFile: string;
}

/**
 * A small server that answers like www.ecb.europa.eu for the three files with reference rates, out of a CSV: its newest day is "today's". It knows no
 * other path but `/health`.
 */
export function createReplayServer({ csvFile, outageFile }: ReplayOptions): Server {
  const documents = async (file: string): Promise<string | null> => {
    const select = ECB_FILES[file];
    return select === undefined ? null : ecbXml(select(readEcbCsv(await readFile(csvFile, 'utf8'))));
  };
  return createServer((request, response) => {
    void (async () => {
      const path = new URL(request.url ?? '/', 'http://127.0.0.1').pathname;
      if (request.method !== 'GET') return answer(response, 405, 'text/plain', 'only GET is known here\n');
      if (path === '/health') return answer(response, 200, 'text/plain', 'ok\n');
      const xml = path.startsWith(FOLDER) ? await documents(path.slice(FOLDER.length)) : null;
      if (xml === null) return answer(response, 404, 'text/plain', 'there is no such file\n');
      if (existsSync(outageFile)) return answer(response, 503, 'text/plain', `an outage is played (${outageFile})\n`);
      return answer(response, 200, 'text/xml', xml);
    })().catch((error: Error) => answer(response, 500, 'text/plain', `${error.message}\n`));
  });
}

function answer(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) }).end(body);
}
