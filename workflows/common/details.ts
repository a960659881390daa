import type { Caller } from '../../domain/approval/caller.js';
import { escapeMarkdown, inlineCode, markdownTable, shortened } from '../../domain/markdown/escape.js';
import { unprovenLine } from '../../domain/approval/identity.js';
import type { OverrideChange } from '../../domain/release/overrides.js';
import type { CheckResult } from '../../domain/release/types.js';
import { fourDigits } from '../../domain/release/comparison.js';
import { DECIDE_UPDATE, type PendingApproval } from '../approval/contract.js';
import { flattenSteps, type StepProgress } from './progress.js';

/*
 * The pages of the Temporal UI ("current details"). Somebody decides by them, so text from people, files and errors is escaped everywhere:
 * nothing that anybody types may change what the page around it says.
 */

/** Temporal's UI reads a page by a query, whose answer may have 2 MB and is warned of at 512 kB; in characters, of at most three bytes each. */
const LONGEST_PAGE = 120_000;
/** So long may be what a decision is made by, that what to do about it still has its place on the page. */
const LONGEST_QUESTION = 80_000;

/** A page cut after a line, and saying so, where it is too long to be shown. */
export function bounded(text: string, characters = LONGEST_PAGE): string {
  if (text.length <= characters) return text;
  const note = '\n\n… cut here: the run’s own command, with `show`, has all of it.';
  const cut = text.slice(0, characters - note.length);
  return `${cut.slice(0, Math.max(0, cut.lastIndexOf('\n')))}${note}`;
}

/** Sections of a page; what is null or an empty text is left out. */
export function page(...sections: (string | null)[]): string {
  return sections.filter((section) => section !== null && section !== '').join('\n\n');
}

/** The first line of a page: what kind of run of which model this is and, where it has one, its status and the reason. */
export function titleLine(model: string, what: string, status?: string, why: string | null = null): string {
  const stands = status === undefined ? '' : `: ${status}${why === null ? '' : ` (${escapeMarkdown(shortened(why))})`}`;
  return `**${escapeMarkdown(model)}**, ${what}${stands}`;
}

/** Who asked for the run and why. */
export function requestLine({ actor, reason }: Caller): string {
  return `Requested by ${escapeMarkdown(shortened(actor))}: ${escapeMarkdown(shortened(reason))}`;
}

/** Where the run departs from the model's spec; null: nowhere. */
export function overridesTable(overrides: readonly OverrideChange[] = []): string | null {
  if (overrides.length === 0) return null;
  return markdownTable(
    ['set for this run only', 'the spec', 'here', ''],
    overrides.map(({ name, old, new: now, weakens }) => [
      name,
      String(old ?? 'none'),
      String(now ?? 'none'),
      weakens ? 'WEAKER' : '',
    ]),
  );
}

/** Names that were only given, where two different people must ask and decide; null: none. */
export function identityLine(names: readonly string[] | undefined): string | null {
  const line = unprovenLine(names);
  return line === null
    ? null
    : `**${escapeMarkdown(line)}** (no token was shown; the request and the decision need two people)`;
}

/** Where each step stands, those of a step below it. */
export function stepsTable(steps: readonly StepProgress[]): string {
  return markdownTable(
    ['step', 'status', ''],
    flattenSteps(steps).map(({ path, step: { status, detail } }) => [path, status, detail ?? '']),
  );
}

/** Checks against their bounds. */
export function checksTable(checks: readonly CheckResult[]): string {
  return markdownTable(
    ['check', 'passed', 'observed', 'required'],
    checks.map(({ name, passed, observed, required }) => [name, passed ? 'yes' : 'NO', fourDigits(observed), required]),
  );
}

/** What is to be decided by when, in the UI and in a terminal. */
export function decisionSections({
  approval,
  name,
  question,
  commands,
  hint = null,
  overrides = [],
  workflowId,
}: {
  approval: Pick<PendingApproval<unknown>, 'deadline' | 'digest'>;
  /** the release or key that is decided on */
  name: string;
  /** Markdown, already escaped: what an approval does, and by what to decide */
  question: readonly string[];
  commands: { approve: string; reject: string };
  /** Markdown: what else a decision can say */
  hint?: string | null;
  /** gates that an approval must override */
  overrides?: readonly string[];
  workflowId: string;
}): string {
  const { deadline, digest } = approval;
  const example = {
    ...{ decisionId: `ui-${name}`, verdict: 'approve', actor: 'YOUR NAME', reason: 'WHY', digest },
    ...(overrides.length === 0 ? {} : { overrides }),
  };
  return page(
    `## To decide by ${deadline}`,
    bounded(page(...question), LONGEST_QUESTION),
    `Here: *More Actions → Send an Update*, name \`${DECIDE_UPDATE}\`, with your own name and reason:`,
    `\`\`\`json\n${JSON.stringify(example, null, 2)}\n\`\`\``,
    hint,
    `In a terminal: ${inlineCode(commands.approve)} or ${inlineCode(commands.reject)}. Workflow: ${inlineCode(workflowId)}.`,
  );
}
