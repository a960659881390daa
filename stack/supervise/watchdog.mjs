// The stack's watchdog: a small process that outlives its parent just long enough to end what the parent started.
// It reads JSON lines {"add": identity} and {"remove": pid} from its standard input. The end of that input is the parent's end,
// however it came, kill -9 included: then every process still on the list is ended, and so is this one.
import { createInterface } from 'node:readline';
import { endProcesses } from './identity.mjs';

/** @type {Map<number, import('./identity.mjs').ProcessIdentity>} */
const watched = new Map();

// A terminal's Ctrl-C reaches the whole foreground group; the parent handles it, and the watchdog must not go first.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});

const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const message = JSON.parse(line);
  if (message.add !== undefined) watched.set(message.add.pid, message.add);
  if (message.remove !== undefined) watched.delete(message.remove);
});
lines.on('close', () => {
  void endProcesses([...watched.values()].reverse(), 5_000).then(() => process.exit(0));
});
