import { BSON } from 'mongodb';

/** A stored row as an object. */
export function decodeRow(bytes: Uint8Array): Record<string, unknown> {
  return BSON.deserialize(bytes, { validation: { utf8: false } });
}
