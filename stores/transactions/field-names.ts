/** Finds which of some fields has its name at a place in BSON, and whether a row has it twice. */
export class FieldNames {
  readonly #names: readonly Buffer[];
  /** position in a document → field that was found there last: rows mostly look alike */
  readonly #order: number[];
  /** the row in which a field was last seen */
  readonly #seenIn: Float64Array;
  #row = 0;

  constructor(names: readonly string[]) {
    this.#names = names.map((name) => Buffer.from(`${name}\0`, 'utf8'));
    this.#order = names.map((_, index) => index);
    this.#seenIn = new Float64Array(names.length);
  }

  /** Another row begins: none of its fields has been seen. */
  beginRow(): void {
    this.#row++;
  }

  /** Whether the row had this field before; from here on it has. */
  isRepeated(field: number): boolean {
    if (this.#seenIn[field] === this.#row) return true;
    this.#seenIn[field] = this.#row;
    return false;
  }

  /**
   * The field whose name lies at a place, -1 for none.
   * @param position how many fields of this document came before it
   */
  at(batch: Buffer, at: number, position: number): number {
    const expected = this.#order[position] ?? -1;
    if (expected >= 0 && this.#isName(expected, batch, at)) return expected;
    if (isId(batch, at)) return -1;
    for (let field = 0; field < this.#names.length; field++) {
      if (!this.#isName(field, batch, at)) continue;
      this.#order[position] = field;
      return field;
    }
    return -1;
  }

  /** Bytes of a field's name in BSON, with the zero that ends it. */
  bytesOf(field: number): number {
    return this.#names[field]?.length ?? 0;
  }

  #isName(field: number, batch: Buffer, at: number): boolean {
    const name = this.#names[field];
    if (name === undefined) return false;
    for (let i = 0; i < name.length; i++) if (name[i] !== batch[at + i]) return false;
    return true;
  }
}

/** `_id`, which nearly every document holds, and no row has. */
function isId(batch: Buffer, at: number): boolean {
  return batch[at] === 0x5f && batch[at + 1] === 0x69 && batch[at + 2] === 0x64 && batch[at + 3] === 0;
}
