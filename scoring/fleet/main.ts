import { createLog } from '../../platform/log.js';
import { loadScorerSettings } from '../settings.js';
import { runServingProcess } from './serving-process.js';

// Composition root of a serving process, which `fleet.ts` starts. It has nothing of Temporal and S3.
const settings = loadScorerSettings(process.env);
const log = createLog('scorer', settings.LOG_LEVEL);

try {
  await runServingProcess(settings, log);
} catch (error) {
  log.fatal({ err: error }, 'the serving process cannot start');
  process.exit(1);
}
