import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { Command } from 'commander';
import writeFileAtomic from 'write-file-atomic';
import { sha256Hex } from '../../domain/bundle/digest.js';
import { SluiceError } from '../../platform/errors.js';
import { validate } from '../../platform/validate.js';
import type { Principals } from '../../schemas/types.js';
import { statePaths } from '../../stack/state/paths.js';
import type { Cli } from '../cli.js';
import { EXIT } from '../exit-codes.js';
import { parseText } from '../options.js';

type Principal = Principals['principals'][number];

const OWNER_ONLY = 0o600;
const TOKEN_BYTES = 32;

/** `sluice principals …`: who may request, approve and operate. Edits the file that the release worker reads at every question; needs no running stack. */
export function principalsCommand(cli: Cli): Command {
  const principals = new Command('principals');

  principals
    .command('add <name>')
    .description('add somebody, or roles to somebody who is there; the change counts at once')
    .requiredOption(
      '--role <role>',
      'what they may do: requester, approver, operator or overrider; repeatable',
      addRole,
    )
    .option('--token', 'make a token that proves their identity, and print it once')
    .addHelpText(
      'after',
      `
Without a token anybody may act under that name. With one they set SLUICE_TOKEN; the file keeps only its SHA-256.

Examples:
  sluice principals add grace --role approver
  sluice principals add olga --role operator --role requester --token`,
    )
    .action((text: string, { role: roles, token: wanted }: { role: string[]; token?: true }) => {
      const name = parseText(text);
      const file = fileOf(cli);
      const others = read(file).filter((one) => one.name !== name);
      const before = read(file).find((one) => one.name === name);
      const token = wanted === true ? randomBytes(TOKEN_BYTES).toString('base64url') : null;
      const principal = {
        ...before,
        name,
        roles: [...new Set<string>([...(before?.roles ?? []), ...roles])],
        ...(token === null ? {} : { token_sha256: sha256Hex(token) }),
      };
      const document = validate('principals', { principals: [...others, principal] }, `${file} with ${name}`);
      writeFileAtomic.sync(file, JSON.stringify(document, null, 2) + '\n', { mode: OWNER_ONLY });
      cli.output.result({ name, roles: principal.roles, token }, () =>
        [
          `${name} may ${principal.roles.join(', ')}`,
          ...(token === null ? [] : [`SLUICE_TOKEN=${token}`, '(the token is not stored: keep this line)']),
        ].join('\n'),
      );
      cli.setExitCode(EXIT.ok);
    });

  principals
    .command('list')
    .description('list who may do what, and whether a token proves their identity')
    .addHelpText('after', '\nExample:\n  sluice principals list')
    .action(() => {
      const shown = read(fileOf(cli)).map(({ name, roles, token_sha256 }) => ({
        name,
        roles,
        proven: token_sha256 !== undefined,
      }));
      cli.output.result(shown, () =>
        shown
          .map(
            ({ name, roles, proven }) =>
              `${name.padEnd(16)}  ${roles.join(', ').padEnd(32)}  ${proven ? 'token' : 'no token: anybody may act under this name'}`,
          )
          .join('\n'),
      );
      cli.setExitCode(EXIT.ok);
    });

  return principals;
}

function addRole(role: string, before: string[] = []): string[] {
  return [...before, role];
}

function fileOf({ env, stateDirectory }: Cli): string {
  return env['SLUICE_PRINCIPALS_FILE'] || statePaths(stateDirectory).principals;
}

/** @throws SluiceError NotFound where no stack has made the file yet; InvalidInput for a file that is no list of principals */
function read(file: string): Principal[] {
  if (!existsSync(file))
    throw new SluiceError(
      'NotFound',
      `there is no ${file}: \`sluice up\` makes it, or name one in SLUICE_PRINCIPALS_FILE`,
    );
  let document: unknown;
  try {
    document = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new SluiceError('InvalidInput', `${file} cannot be read: ${(error as Error).message}`);
  }
  return validate('principals', document, file).principals;
}
