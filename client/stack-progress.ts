import type { StackEvent } from '../stack/index.js';
import type { Output } from './output.js';

const SHOWN: Record<StackEvent['phase'], string> = {
  installing: '↓',
  installed: '✔',
  starting: '▸',
  ready: '✔',
  died: '✖',
  restarting: '↻',
  stopping: '■',
  stopped: '■',
  info: '·',
};

/** The stack's news as lines; what starts or stops is only worth a line when it has. */
export function stackProgress(output: Output): (event: StackEvent) => void {
  return ({ part, phase, message }) => {
    if (phase === 'starting' || phase === 'stopping') return;
    output.line(`${SHOWN[phase]} ${part.padEnd(16)} ${message}`);
  };
}
