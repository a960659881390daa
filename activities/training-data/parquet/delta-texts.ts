import { ByteWriter } from 'hyparquet-writer';
import { deltaBinaryPack } from 'hyparquet-writer/src/delta.js';
import type { TextBytes } from './columns.js';

/**
 * Texts as `DELTA_BYTE_ARRAY`: of each, how many bytes it has in common with the one before it, and the rest. Ids and times in their order have most in
 * common, so this is shorter than compressing them, and takes a tenth of the time.
 * @param ids which texts, in this order
 */
export function deltaTexts({ bytes, starts }: TextBytes, ids: Int32Array): Uint8Array {
  const prefixes = new Int32Array(ids.length);
  const suffixes = new Int32Array(ids.length);
  let rest = 0;
  let [before, beforeLength] = [0, 0];
  for (let at = 0; at < ids.length; at++) {
    const id = ids[at] ?? 0;
    const start = starts[id] ?? 0;
    const length = (starts[id + 1] ?? 0) - start;
    const most = Math.min(length, beforeLength);
    let common = 0;
    while (common < most && bytes[before + common] === bytes[start + common]) common++;
    prefixes[at] = common;
    suffixes[at] = length - common;
    rest += length - common;
    [before, beforeLength] = [start, length];
  }
  const writer = new ByteWriter(ids.length * 4 + rest);
  deltaBinaryPack(writer, prefixes, 'INT32');
  deltaBinaryPack(writer, suffixes, 'INT32');
  const page = Buffer.allocUnsafe(writer.index + rest);
  page.set(writer.getBytes());
  let to = writer.index;
  for (let at = 0; at < ids.length; at++) {
    const id = ids[at] ?? 0;
    const end = starts[id + 1] ?? 0;
    for (let from = (starts[id] ?? 0) + (prefixes[at] ?? 0); from < end; from++) page[to++] = bytes[from] ?? 0;
  }
  return page;
}
