import { readFileSync } from 'node:fs';
import { GROUP_BYTES, type Layout, TREES_A_GROUP, VALUES_A_FEATURE } from './tree-layout.js';

/** The kernel's code (`trees.as.ts`, compiled), or the file that it lies in. */
export type WasmSource = Uint8Array | URL;

/** The kernel with the trees of two ensembles in its memory. */
export interface TreeWalker {
  /** how many rows one walk takes at most */
  readonly tile: number;
  /** of the first and second ensemble, by row: the float32 sum over its trees after a walk */
  readonly firstSums: Float32Array;
  readonly secondSums: Float32Array;
  walk(features: Float32Array, offset: number, rows: number): void;
}

interface Kernel {
  configure(...layout: number[]): void;
  run(rows: number): void;
}

/** What is used here of WebAssembly, which Node has, and TypeScript's library without a browser's does not. */
declare const WebAssembly: {
  Memory: new (size: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
  Module: new (code: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { readonly exports: Kernel };
};

/** Rows that are walked through a group of trees before the next group: few enough for their figures to stay in the nearest cache. */
const TILE = 32;
const PAGE_BYTES = 65_536;
const FLOAT_BYTES = 4;
/** of four rows, which are added up at once */
const ALIGNMENT = 16;

const built = new URL('./trees.wasm', import.meta.url);
const modules = new Map<string, object>();

/**
 * @param trees the layout, and how many of its trees are the first ensemble's
 */
export function loadWalker(
  { layout, width, firstTrees }: { layout: Layout; width: number; firstTrees: number },
  wasm: WasmSource = built,
): TreeWalker {
  const { records, groups, places } = layout;
  const groupCount = (groups.length * FLOAT_BYTES) / GROUP_BYTES;
  let end = ALIGNMENT;
  const take = (bytes: number): number => {
    const at = end;
    end = Math.ceil((end + bytes) / ALIGNMENT) * ALIGNMENT;
    return at;
  };
  const inputAt = take(TILE * width * FLOAT_BYTES);
  const preparedAt = take(TILE * (VALUES_A_FEATURE * width + 1) * FLOAT_BYTES);
  const reachedAt = take(groupCount * TREES_A_GROUP * TILE * FLOAT_BYTES);
  const sumsAt = take(2 * TILE * FLOAT_BYTES);
  const placesAt = take(places.byteLength);
  const groupsAt = take(groups.byteLength);
  const recordsAt = take(records.length);

  const pages = Math.ceil(end / PAGE_BYTES);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const { buffer } = memory;
  new Uint8Array(buffer, recordsAt).set(records);
  new Uint32Array(buffer, groupsAt).set(
    groups.map((entry, index) => (index % (GROUP_BYTES / FLOAT_BYTES) === 0 ? entry : entry + recordsAt)),
  );
  new Uint32Array(buffer, placesAt).set(places.map((place) => place * TILE * FLOAT_BYTES));

  const instance = new WebAssembly.Instance(moduleOf(wasm), { env: { memory } });
  const counts = [firstTrees, places.length - firstTrees];
  instance.exports.configure(
    width,
    TILE,
    inputAt,
    preparedAt,
    groupsAt,
    groupCount,
    reachedAt,
    placesAt,
    ...counts,
    sumsAt,
  );
  const input = new Float32Array(buffer, inputAt, TILE * width);
  const { run } = instance.exports;
  return {
    tile: TILE,
    firstSums: new Float32Array(buffer, sumsAt, TILE),
    secondSums: new Float32Array(buffer, sumsAt + TILE * FLOAT_BYTES, TILE),
    walk(features, offset, rows) {
      // For a few values, a loop is faster than a view and a copy of it.
      if (rows === 1) for (let index = 0; index < width; index += 1) input[index] = features[offset + index] as number;
      else input.set(features.subarray(offset, offset + rows * width));
      run(rows);
    },
  };
}

/** Compiled once for a file; bytes are for tests. */
function moduleOf(wasm: WasmSource): object {
  if (wasm instanceof Uint8Array) return new WebAssembly.Module(wasm);
  const known = modules.get(wasm.href) ?? new WebAssembly.Module(readFileSync(wasm));
  modules.set(wasm.href, known);
  return known;
}
