import { projectPath } from '../../platform/project.js';
import { createReplayServer } from './server.js';

// Composition root of the stack's offline exchange rates: FX_REPLAY_PORT, FX_REPLAY_OUTAGE_FILE.
const port = Number(process.env['FX_REPLAY_PORT']);
const server = createReplayServer({
  csvFile: projectPath('data', 'ecb_fixings.csv'),
  outageFile: process.env['FX_REPLAY_OUTAGE_FILE'] ?? '',
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => server.close(() => process.exit(0)));
server.listen(port, '127.0.0.1', () => process.stdout.write(`ready at http://127.0.0.1:${port}\n`));
