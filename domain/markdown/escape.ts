const LINE_BREAKS = /[\p{Cc}\p{Cf}\u2028\u2029]+/gu;

/** Text from outside, made safe as one line or table cell: no new cell, row, heading, list, HTML, link or emphasis comes out of it. */
export function escapeMarkdown(text: string): string {
  return text
    .replaceAll(LINE_BREAKS, ' ')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll(/[\\`*_[\]|~]/g, '\\$&')
    .trim()
    .replace(/^(#{1,6}|[-+=]+)(?=\s|$)/, '\\$1')
    .replace(/^(\d+)([.)])(?=\s|$)/, '$1\\$2');
}

/** Text from outside as inline code: nothing in it ends the code. */
export function inlineCode(text: string): string {
  const line = text.replaceAll(LINE_BREAKS, ' ');
  const longest = Math.max(0, ...(line.match(/`+/g) ?? []).map((run) => run.length));
  const fence = '`'.repeat(longest + 1);
  return longest === 0 && line.trim() !== '' ? `${fence}${line}${fence}` : `${fence} ${line} ${fence}`;
}

/** A link that opens, whatever is in its parts; other than a web address, it is text. */
export function link(text: string, url: string): string {
  if (!/^https?:\/\//.test(url)) return `${escapeMarkdown(text)} ${inlineCode(url)}`;
  return `[${escapeMarkdown(text)}](<${url.replaceAll(/[<>\\\s]/g, (one) => encodeURIComponent(one))}>)`;
}

/** A cell or line longer than this tells nobody more. */
const LONGEST_TEXT = 1000;

/** Text cut to what a person reads of it. */
export function shortened(text: string, characters = LONGEST_TEXT): string {
  return text.length <= characters ? text : `${text.slice(0, characters - 1)}…`;
}

/** A table with its cells shortened and escaped. */
export function markdownTable(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => escapeMarkdown(shortened(cell))).join(' | ')} |`;
  return [line(titles), `|${' --- |'.repeat(titles.length)}`, ...rows.map(line)].join('\n');
}
