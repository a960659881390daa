const PLAIN = /^[!-~]+(?: [!-~]+)*$/;
const WHITE_SPACE = /\p{White_Space}+/gu;
/** what is left of it at the ends; `trim` would take a byte order mark, too */
const OUTER_BLANKS = /^ | $/g;

/**
 * One spelling for texts that people mean to be the same: compatibility form (NFKC), case folded, white space as single blanks, trimmed.
 * Folding goes by upper case, so that `ß`, `ss` and `SS` meet, and both forms of the Greek sigma. Idempotent.
 */
export function normaliseText(text: string): string {
  if (PLAIN.test(text)) return text.toLowerCase();
  let current = text;
  // Rarely, folding makes a sequence that the compatibility form composes anew, so one round may not be the last.
  for (let round = 0; round < 4; round++) {
    const next = current
      .normalize('NFKC')
      .toUpperCase()
      .toLowerCase()
      .normalize('NFKC')
      .replace(WHITE_SPACE, ' ')
      .replace(OUTER_BLANKS, '');
    if (next === current) break;
    current = next;
  }
  return current;
}
