import { parseTree, printParseErrorCode, type Node, type ParseError } from 'jsonc-parser';

/** Something wrong with a text, and where; the first line and column are 1, columns count UTF-16 units as editors do. */
export interface Finding {
  line: number;
  column: number;
  /** JSON pointer; empty for the whole document */
  path: string;
  message: string;
}

export interface JsonText {
  /** undefined where the text is no JSON */
  document: unknown;
  /** syntax errors (the first one: what follows from it is noise) and keys given twice */
  findings: Finding[];
  /** Where a value stands: its key where it has one; the nearest thing around it where it does not exist. */
  positionOf(path: string): { line: number; column: number };
  /** The members of an object in the text's order, each with its position; a key given twice is there twice. */
  membersOf(path: string): Member[];
  /** The elements of an array. */
  elementsOf(path: string): Member[];
}

export interface Member {
  key: string;
  value: unknown;
  line: number;
  column: number;
}

/**
 * Reads JSON (RFC 8259: no comments, no trailing commas) and remembers where everything stands. Unlike `JSON.parse` it does not let the last of two equal
 * keys win in silence.
 */
export function readJson(text: string): JsonText {
  const lineStarts = startsOfLines(text);
  const at = (offset: number): { line: number; column: number } => {
    const line = upperBound(lineStarts, offset);
    return { line, column: offset - (lineStarts[line - 1] ?? 0) + 1 };
  };
  const errors: ParseError[] = [];
  let root: Node | undefined;
  try {
    root = parseTree(text, errors, { disallowComments: true, allowTrailingComma: false, allowEmptyContent: false });
  } catch (error) {
    // it descends by recursion
    if (!(error instanceof RangeError)) throw error;
    return unreadable({ line: 1, column: 1, path: '', message: 'is nested too deeply to be read' });
  }
  const [first] = errors;
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    const message = first === undefined ? `is not JSON: ${(error as Error).message}` : `is not JSON: ${inWords(first)}`;
    return unreadable({ ...at(first?.offset ?? 0), path: '', message });
  }
  if (first !== undefined || root === undefined)
    return unreadable({ ...at(first?.offset ?? 0), path: '', message: 'is not JSON' });

  const tree = root;
  const member = (keyed: Node): Member => {
    const [key, value] = keyed.children ?? [];
    return { key: String(key?.value), value: valueOf(value), ...at(keyed.offset) };
  };
  return {
    document,
    findings: duplicateKeys(tree).map(({ offset, path, firstOffset }) => ({
      ...at(offset),
      path,
      message: `the key is there already, in line ${at(firstOffset).line}`,
    })),
    positionOf: (path) => at(nodeAt(tree, path).nearest.offset),
    membersOf: (path) =>
      (nodeAt(tree, path).value?.children ?? []).filter(({ type }) => type === 'property').map(member),
    elementsOf: (path) => {
      const { value } = nodeAt(tree, path);
      if (value?.type !== 'array') return [];
      return (value.children ?? []).map((node, index) => ({
        key: String(index),
        value: valueOf(node),
        ...at(node.offset),
      }));
    },
  };
}

function unreadable(finding: Finding): JsonText {
  return {
    document: undefined,
    findings: [finding],
    positionOf: () => ({ line: finding.line, column: finding.column }),
    membersOf: () => [],
    elementsOf: () => [],
  };
}

/** Scalars as they are; what has parts is not asked for. */
function valueOf(node: Node | undefined): unknown {
  return node?.type === 'array' || node?.type === 'object' ? undefined : (node?.value as unknown);
}

/** `CommaExpected` → `comma expected` */
function inWords({ error }: ParseError): string {
  return printParseErrorCode(error)
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase();
}

/** The value at a JSON pointer, if there is one, and the deepest node on the way to it. */
function nodeAt(root: Node, path: string): { value: Node | undefined; nearest: Node } {
  let value: Node | undefined = root;
  let nearest = root;
  for (const segment of path.split('/').slice(1)) {
    const key = segment.replaceAll('~1', '/').replaceAll('~0', '~');
    const children: Node[] = value?.children ?? [];
    if (value?.type === 'object') {
      const property = children.find((child) => child.children?.[0]?.value === key);
      value = property?.children?.[1];
      nearest = property ?? nearest;
    } else {
      value = value?.type === 'array' ? children[Number(key)] : undefined;
      nearest = value ?? nearest;
    }
  }
  return { value, nearest };
}

function duplicateKeys(root: Node): { offset: number; path: string; firstOffset: number }[] {
  const found: { offset: number; path: string; firstOffset: number }[] = [];
  const open: { node: Node; path: string }[] = [{ node: root, path: '' }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const seen = new Map<string, number>();
    for (const [index, child] of (next.node.children ?? []).entries()) {
      if (child.type !== 'property') {
        open.push({ node: child, path: `${next.path}/${index}` });
        continue;
      }
      const [key, value] = child.children ?? [];
      const name = String(key?.value);
      const path = `${next.path}/${pointerSegment(name)}`;
      const firstOffset = seen.get(name);
      if (firstOffset === undefined) seen.set(name, child.offset);
      else found.push({ offset: child.offset, path, firstOffset });
      if (value !== undefined) open.push({ node: value, path });
    }
  }
  return found.sort((a, b) => a.offset - b.offset);
}

/** A key as a part of a JSON pointer (RFC 6901). */
export function pointerSegment(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}

function startsOfLines(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

/** How many of the ascending numbers are not above a value. */
function upperBound(sorted: readonly number[], value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? Infinity) <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}
