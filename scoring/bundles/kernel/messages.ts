import protobuf from 'protobufjs/minimal.js';

type Reader = protobuf.Reader;

/** How one field of a message is read into it. */
interface Field<T> {
  /** of the wire: 0 varint, 1 64 bits, 2 bytes, 5 32 bits */
  wire: number;
  read: (reader: Reader, into: T) => void;
  /** may come again */
  repeated?: boolean;
}

/** A message of the wire format, by its fields' numbers. A field that is not here is refused. */
export interface Message<T> {
  name: string;
  empty: () => T;
  fields: Readonly<Record<number, Field<T> | Field<T>[]>>;
}

/** What a file holds that is not taken; the text says what, for people. */
export class Refusal extends Error {
  override name = 'Refusal';
}

const BYTES = 2;
/** A number below this is one byte on the wire. */
const ONE_BYTE = 0x80;

/**
 * Reads one message to its end. Every byte is looked at once, and nothing is as long as a length in the file says unless so many bytes
 * are there, so that hostile bytes cost no more than honest ones.
 * @throws Refusal for what is not in the descriptor; RangeError for bytes that end early
 */
function readMessage<T>(message: Message<T>, reader: Reader, end: number): T {
  const into = message.empty();
  const seen = new Set<number>();
  while (reader.pos < end) {
    const tag = reader.uint32();
    const [number, wire] = [tag >>> 3, tag & 7];
    const known = message.fields[number];
    const field = Array.isArray(known) ? known.find((one) => one.wire === wire) : known;
    if (field === undefined) throw new Refusal(`field ${number} of ${message.name} is not known`);
    if (field.wire !== wire) throw new Refusal(`field ${number} of ${message.name} has another type than it should`);
    if (field.repeated !== true && seen.has(number))
      throw new Refusal(`field ${number} of ${message.name} comes twice`);
    seen.add(number);
    field.read(reader, into);
  }
  if (reader.pos !== end) throw new Refusal(`${message.name} is longer than its length`);
  return into;
}

/** @throws Refusal */
export function decode<T>(message: Message<T>, bytes: Uint8Array): T {
  try {
    return readMessage(message, protobuf.Reader.create(bytes), bytes.length);
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal(`the file is no ONNX model, or not whole: ${error instanceof Error ? error.message : ''}`);
  }
}

/** The bytes from here to the end that a length says, which must be there. */
function within(reader: Reader): number {
  const length = reader.uint32();
  if (length > reader.len - reader.pos) throw new Refusal('a length goes beyond the end of the file');
  return reader.pos + length;
}

function integer(reader: Reader): number {
  // nearly all are small: without this, a large file's numbers take longer than everything else together
  const first = reader.buf[reader.pos];
  if (first !== undefined && first < ONE_BYTE && reader.pos < reader.len) return reader.uint32();
  const value = reader.int64() as unknown as { toNumber(): number } | number;
  const number = typeof value === 'number' ? value : value.toNumber();
  if (!Number.isSafeInteger(number)) throw new Refusal('a whole number is too large');
  return number;
}

const int = <T>(set: (into: T, value: number) => void): Field<T> => ({
  wire: 0,
  read: (reader, into) => set(into, integer(reader)),
});

const float = <T>(set: (into: T, value: number) => void): Field<T> => ({
  wire: 5,
  read: (reader, into) => set(into, reader.float()),
});

const text = <T>(set: (into: T, value: string) => void, repeated = false): Field<T> => ({
  wire: BYTES,
  repeated,
  read: (reader, into) => set(into, reader.string()),
});

const bytes = <T>(set: (into: T, value: Uint8Array) => void): Field<T> => ({
  wire: BYTES,
  read: (reader, into) => set(into, reader.bytes()),
});

const nested = <T, U>(message: Message<U>, set: (into: T, value: U) => void, repeated = false): Field<T> => ({
  wire: BYTES,
  repeated,
  read: (reader, into) => set(into, readMessage(message, reader, within(reader))),
});

/** Numbers one by one, or packed: both are the same field. */
function numbers<T>(wire: 0 | 5, listOf: (into: T) => number[]): Field<T>[] {
  const one = wire === 0 ? integer : (reader: Reader) => reader.float();
  return [
    { wire, repeated: true, read: (reader, into) => void listOf(into).push(one(reader)) },
    {
      wire: BYTES,
      repeated: true,
      read(reader, into) {
        const list = listOf(into);
        const end = within(reader);
        while (reader.pos < end) list.push(one(reader));
        if (reader.pos !== end) throw new Refusal('a list of numbers is longer than its length');
      },
    },
  ];
}

/** What has no meaning for a figure: names for people, documentation. */
const ignored = <T>(wire: 0 | 2 = BYTES): Field<T> => ({
  wire,
  repeated: true,
  read: (reader) => void (wire === BYTES ? reader.bytes() : reader.int64()),
});

const refused = <T>(what: string, wire = BYTES): Field<T> => ({
  wire,
  read: () => {
    throw new Refusal(what);
  },
});

export const field = { int, float, text, bytes, nested, numbers, ignored, refused };
