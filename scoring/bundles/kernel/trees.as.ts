// Walks trees over rows; AssemblyScript, compiled to trees.wasm by `npm run build`. `tree-layout.ts` lays the memory out and says what
// a record is; nothing is checked here. Eight trees are walked side by side: a step of one waits for memory while seven others go on.

const RECORD_SHIFT: usize = 3;
const NO_VALUE: f32 = f32.NaN;

let width: i32 = 0;
let tile: usize = 0;
let input: usize = 0;
let prepared: usize = 0;
let groups: usize = 0;
let groupCount: i32 = 0;
let reached: usize = 0;
let slots: usize = 0;
let firstTrees: i32 = 0;
let secondTrees: i32 = 0;
let sums: usize = 0;

/** Where everything lies, in bytes from 0; `tile_` is the number of rows that fit, a multiple of 4. */
export function configure(
  width_: i32,
  tile_: i32,
  input_: usize,
  prepared_: usize,
  groups_: usize,
  groupCount_: i32,
  reached_: usize,
  slots_: usize,
  firstTrees_: i32,
  secondTrees_: i32,
  sums_: usize,
): void {
  width = width_;
  tile = (<usize>tile_) << 2;
  input = input_;
  prepared = prepared_;
  groups = groups_;
  groupCount = groupCount_;
  reached = reached_;
  slots = slots_;
  firstTrees = firstTrees_;
  secondTrees = secondTrees_;
  sums = sums_;
}

/** Each value twice, a missing one as +Infinity and as -Infinity, and whether it is missing; then a NaN, which leaves read. */
function prepare(rows: i32): void {
  let from = input;
  let to = prepared;
  for (let row = 0; row < rows; row++) {
    for (let feature = 0; feature < width; feature++) {
      const value = load<f32>(from);
      const missing = value != value;
      store<f32>(to, select<f32>(f32.POSITIVE_INFINITY, value, missing));
      store<f32>(to, select<f32>(f32.NEGATIVE_INFINITY, value, missing), 4);
      store<f32>(to, select<f32>(1, 0, missing), 8);
      from += 4;
      to += 12;
    }
    store<f32>(to, NO_VALUE);
    to += 4;
  }
}

/** From a record to the next: the second of its children if the threshold holds for the row, else the first. A leaf stays. */
function next(record: usize, row: usize): usize {
  const holds = load<f32>(row + <usize>load<u16>(record, 4)) <= load<f32>(record);
  return record + ((<usize>load<u16>(record, 6) + <usize>holds) << RECORD_SHIFT);
}

function walk(rows: i32): void {
  const stride = (<usize>width * 3 + 1) << 2;
  let group = groups;
  let out = reached;
  for (let g = 0; g < groupCount; g++) {
    const steps = load<i32>(group);
    let row = prepared;
    let into = out;
    for (let r = 0; r < rows; r++) {
      let a = <usize>load<u32>(group, 4);
      let b = <usize>load<u32>(group, 8);
      let c = <usize>load<u32>(group, 12);
      let d = <usize>load<u32>(group, 16);
      let e = <usize>load<u32>(group, 20);
      let f = <usize>load<u32>(group, 24);
      let h = <usize>load<u32>(group, 28);
      let i = <usize>load<u32>(group, 32);
      for (let step = steps; step != 0; step--) {
        a = next(a, row);
        b = next(b, row);
        c = next(c, row);
        d = next(d, row);
        e = next(e, row);
        f = next(f, row);
        h = next(h, row);
        i = next(i, row);
      }
      let at = into;
      store<f32>(at, load<f32>(a));
      store<f32>((at += tile), load<f32>(b));
      store<f32>((at += tile), load<f32>(c));
      store<f32>((at += tile), load<f32>(d));
      store<f32>((at += tile), load<f32>(e));
      store<f32>((at += tile), load<f32>(f));
      store<f32>((at += tile), load<f32>(h));
      store<f32>((at += tile), load<f32>(i));
      row += stride;
      into += 4;
    }
    group += 36;
    out += tile << 3;
  }
}

/** The reached leaves of four rows at once, added in float32 in the order of the trees. */
function add(from: usize, trees: i32, at: usize): v128 {
  let sum = f32x4.splat(0);
  const end = from + ((<usize>trees) << 2);
  for (let slot = from; slot < end; slot += 4) sum = f32x4.add(sum, v128.load(reached + <usize>load<u32>(slot) + at));
  return sum;
}

/** The sums of both ensembles for the first `rows` rows of the input. */
export function run(rows: i32): void {
  prepare(rows);
  walk(rows);
  const end = (<usize>rows) << 2;
  for (let at: usize = 0; at < end; at += 16) {
    v128.store(sums + at, add(slots, firstTrees, at));
    v128.store(sums + tile + at, add(slots + ((<usize>firstTrees) << 2), secondTrees, at));
  }
}
