/** What the main thread and an ONNX thread say to each other. Types only: both sides import it, nothing runs. */

export interface ThreadData {
  /** verified bytes of `pipeline.onnx` */
  pipeline: Uint8Array;
  /** verified bytes of `if_pipe.onnx` */
  anomaly: Uint8Array;
  /** features per row; both models must take exactly as many */
  width: number;
  /** nobody's request waits for it: it gives way to the threads that answer */
  inBackground?: boolean;
}

export type ToThread =
  /** rows × width values, row by row; its buffer is transferred */
  { kind: 'run'; id: number; features: Float32Array } | { kind: 'close' };

export type FromThread =
  | { kind: 'ready' }
  /** the sessions could not be created: this bundle will never serve */
  | { kind: 'unusable'; message: string }
  | { kind: 'result'; id: number; scores: Float32Array; anomalies: Float32Array }
  | { kind: 'failed'; id: number; message: string };
