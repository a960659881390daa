/** Text that is markup already. Made by `markup` only, so whatever came from outside has been escaped. */
export class Markup {
  constructor(readonly text: string) {}
}

type Part = string | number | Markup | readonly Markup[];

/** A template whose values are escaped, in text and in quoted attributes, unless they are markup themselves. */
export function markup(fixed: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return new Markup(fixed.reduce((all, text, i) => all + rendered(parts[i - 1]) + text));
}

function rendered(part: Part | undefined): string {
  if (part === undefined) return '';
  if (part instanceof Markup) return part.text;
  if (typeof part === 'string' || typeof part === 'number') return escapeHtml(String(part));
  return part.map(({ text }) => text).join('');
}

// Control characters are not allowed in HTML at all, save for white space.
const CONTROL = /[\p{Cc}\u2028\u2029]+/gu;

function escapeHtml(text: string): string {
  return text
    .replaceAll(CONTROL, ' ')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}
