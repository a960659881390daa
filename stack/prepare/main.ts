import { loadSettings } from '../../platform/config.js';
import { prepare } from './prepare.js';

// Composition root: run once before the workers where the servers are not the stack's own (docker-compose.temporal.yml).
const PATIENCE_MS = 120_000;

try {
  await prepare(loadSettings(process.env), process.env, PATIENCE_MS, (message) => process.stdout.write(message + '\n'));
} catch (error) {
  process.stderr.write((error as Error).message + '\n');
  process.exitCode = 1;
}
