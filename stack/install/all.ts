import type { InstallContext } from './context.js';
import { ensureMongod } from './mongod.js';
import { ensureTrainerPython } from './python.js';
import { ensureTemporal } from './temporal.js';
import { ensureVersitygw } from './versitygw.js';

/** Installs what the stack's own servers and the trainer need, side by side; quick when it is there. Returns the trainer's Python. */
export async function installAll(context: InstallContext): Promise<string> {
  const [python] = await Promise.all([
    ensureTrainerPython(context),
    ensureTemporal(context),
    ensureMongod(context),
    ensureVersitygw(context),
  ]);
  return python;
}
