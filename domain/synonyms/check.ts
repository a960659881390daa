import type { OperationTypeSynonyms } from '../../schemas/types.js';
import { decodeUtf8 } from '../json/decode.js';
import { pointerSegment, readJson, type Finding, type JsonText, type Member } from '../json/read.js';
import { normaliseText } from '../lookups/normalise.js';

export interface CheckedSynonyms {
  /** everything that is wrong, from the top of the file to its end; empty: it can go live */
  findings: Finding[];
  /** as a bundle holds it: spellings normalised and in order; null when something is wrong */
  document: OperationTypeSynonyms | null;
  /** what is no mistake, and should be known */
  notes: string[];
}

export interface SynonymsRules {
  /** canonical names that the model knows; null: any */
  known: ReadonlySet<string> | null;
  /** violations of the file's JSON Schema */
  violationsOf: (document: unknown) => { path: string; message: string }[];
}

/** A person mends these and checks again; a file that is no table at all would have as many as it has lines. */
const MAX_FINDINGS = 100;
const SHOWN_CHARS = 60;
const SHOWN_STEPS = 10;

/**
 * Checks a table of synonyms that people edit, `{canonical: [name], synonyms: {spelling: name}}`. Spellings are compared as the features compare
 * them, normalised. Mistakes are: another encoding than UTF-8, no JSON, keys given twice, spellings that are the same once normalised, one spelling
 * for two names, targets that are no canonical names (among them spellings that lead in a circle), and canonical names that the model does not know.
 */
export function checkSynonyms(bytes: Uint8Array, { known, violationsOf }: SynonymsRules): CheckedSynonyms {
  const decoded = decodeUtf8(bytes);
  if ('finding' in decoded) return { findings: [decoded.finding], document: null, notes: [] };
  const json = readJson(decoded.text);
  const findings = [...json.findings];
  if (json.document !== undefined) {
    const violations = violationsOf(json.document);
    findings.push(
      ...violations.slice(0, MAX_FINDINGS).map(({ path, message }) => ({ ...json.positionOf(path), path, message })),
    );
    if (violations.length === 0) findings.push(...meaningOf(json, known));
  }
  if (findings.length > 0) return { findings: firstOf(findings), document: null, notes: [] };
  const document = normalised(json.document as OperationTypeSynonyms);
  const unused = [...(known ?? [])].filter((name) => !document.canonical.includes(name));
  return {
    findings,
    document,
    notes: unused.map(
      (name) => `the model knows the canonical name ${JSON.stringify(name)}, and the file leaves it out`,
    ),
  };
}

function meaningOf(json: JsonText, known: ReadonlySet<string> | null): Finding[] {
  const found: Finding[] = [];
  const say = ({ line, column }: Member, path: string, message: string): void =>
    void found.push({ line, column, path, message });

  const canonical = new Map<string, Member>();
  const canonicalByKey = new Map<string, Member>();
  for (const name of json.elementsOf('/canonical')) {
    const path = `/canonical/${name.key}`;
    const text = String(name.value);
    const other = canonicalByKey.get(normaliseText(text));
    if (known !== null && !known.has(text))
      say(name, path, `the model does not know the canonical name ${quoted(text)}; it knows ${[...known].join(', ')}`);
    if (other === undefined) canonicalByKey.set(normaliseText(text), name);
    else
      say(name, path, `${quoted(text)} and ${quoted(other.value)} (line ${other.line}) are one name once normalised`);
    canonical.set(text, name);
  }

  const members = json.membersOf('/synonyms');
  const bySpelling = new Map<string, Member>();
  for (const spelling of members) {
    if (found.length > MAX_FINDINGS) break;
    const path = `/synonyms/${pointerSegment(spelling.key)}`;
    const key = normaliseText(spelling.key);
    const target = String(spelling.value);
    const name = canonicalByKey.get(key);
    const other = bySpelling.get(key);
    if (key === '') say(spelling, path, 'the spelling is empty');
    if (name !== undefined && name.value !== target)
      say(
        spelling,
        path,
        `conflict: this is the canonical name ${quoted(name.value)} itself (line ${name.line}) and cannot stand for ${quoted(target)}`,
      );
    // a key given twice, letter by letter, has been found already
    if (other !== undefined && other.key !== spelling.key)
      say(
        spelling,
        path,
        `${other.value === target ? 'duplicate' : 'conflict'}: once normalised it is the spelling ${quoted(other.key)} of line ${other.line}, which stands for ${quoted(other.value)}`,
      );
    if (other === undefined) bySpelling.set(key, spelling);
  }

  const leadsTo = new Map(members.map((one) => [one, bySpelling.get(normaliseText(String(one.value)))]));
  const inCircles = new Set<Member>();
  for (const spelling of members) {
    if (found.length > MAX_FINDINGS) break;
    const target = String(spelling.value);
    if (canonical.has(target) || inCircles.has(spelling)) continue;
    const path = `/synonyms/${pointerSegment(spelling.key)}`;
    const way = follow(spelling, canonical, leadsTo);
    if (way.circle) {
      for (const member of way.steps) inCircles.add(member);
      const shown = way.steps.slice(0, SHOWN_STEPS);
      const left = way.steps.length - shown.length;
      const names = [
        ...shown.map(({ key }) => quoted(key)),
        ...(left > 0 ? [`${left} more`] : []),
        quoted(spelling.key),
      ].join(' → ');
      const lines = shown.map(({ line }) => line).join(', ') + (left > 0 ? ', …' : '');
      say(spelling, path, `cycle: ${names} (lines ${lines}); none of them leads to a canonical name`);
    } else if (way.end !== null)
      say(
        spelling,
        path,
        `leads to ${quoted(target)}, which is itself a spelling of ${quoted(way.end)}: write ${quoted(way.end)}`,
      );
    else say(spelling, path, `leads to ${quoted(target)}, which is not among the canonical names`);
  }
  return found;
}

/** Where a spelling leads, spelling by spelling: back to itself, to a canonical name, or nowhere. */
function follow(
  from: Member,
  canonical: ReadonlyMap<string, Member>,
  leadsTo: ReadonlyMap<Member, Member | undefined>,
): { circle: boolean; steps: Member[]; end: string | null } {
  const steps = [from];
  const visited = new Set(steps);
  for (let at = from; ;) {
    const target = String(at.value);
    if (canonical.has(target)) return { circle: false, steps, end: target };
    const next = leadsTo.get(at);
    if (next === undefined) return { circle: false, steps, end: null };
    if (next === from) return { circle: true, steps, end: null };
    if (visited.has(next)) return { circle: false, steps, end: null };
    visited.add(next);
    steps.push(next);
    at = next;
  }
}

function normalised({ canonical, synonyms }: OperationTypeSynonyms): OperationTypeSynonyms {
  const spellings = Object.entries(synonyms)
    .map(([spelling, name]): [string, string] => [normaliseText(spelling), name])
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return { canonical, synonyms: Object.fromEntries(spellings) };
}

/** From the top of the file down, and no more than a person can use. */
function firstOf(findings: Finding[]): Finding[] {
  const sorted = findings.sort((a, b) => a.line - b.line || a.column - b.column);
  const last = sorted[MAX_FINDINGS - 1];
  if (last === undefined || sorted.length === MAX_FINDINGS) return sorted;
  const more = { ...last, path: '', message: `and more: these are the first ${MAX_FINDINGS}` };
  return [...sorted.slice(0, MAX_FINDINGS), more];
}

function quoted(text: unknown): string {
  return JSON.stringify(
    typeof text === 'string' && text.length > SHOWN_CHARS ? `${text.slice(0, SHOWN_CHARS)}…` : text,
  );
}
