import { parentPort, workerData } from 'node:worker_threads';
import { stepBack } from '../step-back.js';
import type { ModelFiles } from './tree-ensemble.js';
import { readTreeImage } from './tree-models.js';

// Reads one bundle's trees and ends: tens of milliseconds that may not be spent where requests are answered.
stepBack();
parentPort?.postMessage(readTreeImage(workerData as ModelFiles));
