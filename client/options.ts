import { InvalidArgumentError, Option, type Command } from 'commander';
import { ENVIRONMENTS } from '../domain/pointer/environments.js';
import { SluiceError } from '../platform/errors.js';
import { modelFolders } from '../platform/model-folders.js';
import type { Cli } from './cli.js';

type Models = Pick<Cli, 'modelsDirectory'>;

/** `--model` of a command that works for one model; `askForModel` asks for it where it has no default. */
class ModelOption extends Option {}

/** `--model`: the only folder of `models/` by default, or `preferred`, if there is one of that name. Where there are several, `askForModel` refuses a command without it. */
export function modelOption(
  { modelsDirectory }: Models,
  description = 'the model, a folder of models/',
  preferred?: string,
): Option {
  const names = modelFolders(modelsDirectory);
  const only = names.length === 1 ? names[0] : names.find((name) => name === preferred);
  return new ModelOption(
    '-m, --model <name>',
    names.length > 1 ? `${description}: ${names.join(', ')}` : description,
  ).default(only);
}

/**
 * Called before a command runs.
 * @throws SluiceError InvalidInput where it needs a model, none was named and there is not exactly one; UnknownModel where there is none of that name
 */
export function askForModel({ modelsDirectory }: Models, command: Command): void {
  const asks = command.options.some((option) => option instanceof ModelOption);
  if (!asks) return;
  const names = modelFolders(modelsDirectory);
  const { model } = command.optsWithGlobals<{ model?: string }>();
  if (model !== undefined && !names.includes(model))
    throw new SluiceError(
      'UnknownModel',
      `there is no model ${JSON.stringify(model)} in ${modelsDirectory}; known: ${names.join(', ') || 'none'}`,
    );
  if (model !== undefined) return;
  throw new SluiceError(
    'InvalidInput',
    names.length === 0
      ? `there is no model in ${modelsDirectory}`
      : `there are several models: pass --model with one of ${names.join(', ')}`,
  );
}

/** `--environment`: whose pointer, whose scorers. */
export function environmentOption(description: string): Option {
  return new Option('--environment <name>', description).choices(ENVIRONMENTS).default('production');
}

/** `--max-refused` of an import. */
export function maxRefusedOption(): Option {
  return new Option('--max-refused <n>', 'exit with code 2 if more than N rows are rejected').argParser(parseCount);
}

/** An instant: `2025-06-30` is its midnight UTC; a time must carry its zone. */
export function parseInstant(text: string): string {
  const day = /^\d{4}-\d{2}-\d{2}$/.test(text);
  const zoned = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/.test(text);
  const at = new Date(day ? `${text}T00:00:00Z` : text);
  if ((!day && !zoned) || Number.isNaN(at.getTime()) || (day && !at.toISOString().startsWith(text))) {
    throw new InvalidArgumentError(
      'must be a day (2025-06-30, midnight UTC) or a time with its zone (2025-06-30T12:00:00Z).',
    );
  }
  return at.toISOString();
}

/** A day, as its midnight UTC. */
export function parseDay(text: string): string {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) throw new InvalidArgumentError('must be a day, like 2025-06-30.');
  return parseInstant(text);
}

/** Names that become part of ids, keys and file names. */
export function parseReleaseId(text: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(text))
    throw new InvalidArgumentError(
      'must be 1 to 64 letters, digits, dots, dashes or underscores, beginning with a letter or digit.',
    );
  return text;
}

/** A SHA-256 as 64 hex digits. */
export function parseSha256(text: string): string {
  if (!/^[0-9a-f]{64}$/i.test(text)) throw new InvalidArgumentError('must be 64 hex digits.');
  return text.toLowerCase();
}

export function parsePositive(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('must be a number above 0.');
  return value;
}

export function parseCount(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('must be a whole number, 0 or more.');
  return value;
}

export function parseAtLeastOne(text: string): number {
  const value = parseCount(text);
  if (value === 0) throw new InvalidArgumentError('must be 1 or more.');
  return value;
}

export function parseInteger(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || text.trim() === '') throw new InvalidArgumentError('must be a whole number.');
  return value;
}

/** `metric>=0.8`, `metric<=0.1` or both in two options: replaces the bounds of a gate of the spec. */
export function parseGate(
  text: string,
  previous: { metric: string; min?: number; max?: number }[] = [],
): { metric: string; min?: number; max?: number }[] {
  const match = /^([A-Za-z0-9_.]+)(>=|<=)(-?\d+(?:\.\d+)?)$/.exec(text);
  if (match === null) throw new InvalidArgumentError('must look like recall>=0.6 or alert_rate<=0.1.');
  const [, metric = '', operator, value] = match;
  const bound = operator === '>=' ? { min: Number(value) } : { max: Number(value) };
  const others = previous.filter((gate) => gate.metric !== metric);
  return [...others, { metric, ...previous.find((gate) => gate.metric === metric), ...bound }];
}

/** Free text that is recorded: one line, not empty. */
export function parseText(text: string): string {
  const clean = text.trim();
  if (clean === '' || clean.length > 500 || /\p{Cc}/u.test(clean))
    throw new InvalidArgumentError('must be one line of 1 to 500 characters.');
  return clean;
}
