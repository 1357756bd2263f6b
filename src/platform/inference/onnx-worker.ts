import { parentPort } from 'node:worker_threads';
import { present } from '../../base/assert.ts';
import { toAppError, type ErrorBody } from '../../base/errors.ts';
import type { Tensor } from '../../formats/oip/tensor.ts';
import { systemClock } from '../system.ts';
import { OnnxSession, warmUpInputs } from './onnx-session.ts';
import type { ModelSignature } from './port.ts';

/** Worker thread that loads, calibrates and runs models, so that the main thread never waits. */

export type WorkerRequest =
  | { readonly id: number; readonly kind: 'load'; readonly file: string }
  | {
      readonly id: number;
      readonly kind: 'run';
      readonly model: number;
      readonly inputs: readonly Tensor[];
      readonly outputs: readonly string[];
    }
  | { readonly id: number; readonly kind: 'release'; readonly model: number };

export interface Loaded {
  readonly model: number;
  readonly signature: ModelSignature;
  readonly runtime: string;
  readonly loadMs: number;
  readonly runP99Us: number;
}

export type WorkerReply =
  | { readonly id: number; readonly ok: true; readonly result: unknown }
  | { readonly id: number; readonly ok: false; readonly error: ErrorBody };

/** Enough that the machine's own hiccups stay above the 99th percentile. */
const CALIBRATION_RUNS = 1000;
/** A slow model is slow after a few runs already; calibration must not take seconds. */
const CALIBRATION_MS_MAX = 250;
const WARM_UP_RUNS = 20;

const port = present(parentPort, 'the parent port');
const sessions = new Map<number, OnnxSession>();
let nextModel = 1;

async function load(file: string): Promise<Loaded> {
  const start = systemClock.elapsed();
  const session = await OnnxSession.open(file);
  const loadMs = systemClock.elapsed() - start;
  const runP99Us = await calibrate(session);
  const model = nextModel++;
  sessions.set(model, session);
  return { model, signature: session.signature, runtime: session.runtime, loadMs, runP99Us };
}

async function calibrate(session: OnnxSession): Promise<number> {
  const inputs = warmUpInputs(session.signature);
  const times: number[] = [];
  const start = systemClock.elapsed();
  for (let run = 0; run < WARM_UP_RUNS + CALIBRATION_RUNS; run += 1) {
    const before = systemClock.elapsed();
    await session.run(inputs, []);
    if (run >= WARM_UP_RUNS) times.push((systemClock.elapsed() - before) * 1000);
    if (systemClock.elapsed() - start > CALIBRATION_MS_MAX && times.length > 0) break;
  }
  times.sort((a, b) => a - b);
  return times[Math.min(times.length - 1, Math.floor(times.length * 0.99))]!;
}

async function answer(request: WorkerRequest): Promise<unknown> {
  if (request.kind === 'load') return load(request.file);
  const session = present(sessions.get(request.model), `model ${request.model}`);
  if (request.kind === 'run') return session.run(request.inputs, request.outputs);
  sessions.delete(request.model);
  await session.release();
  return null;
}

port.on('message', (request: WorkerRequest) => {
  answer(request).then(
    (result) => port.postMessage({ id: request.id, ok: true, result } satisfies WorkerReply),
    (thrown: unknown) => {
      const error = toAppError(thrown).toBody();
      port.postMessage({ id: request.id, ok: false, error } satisfies WorkerReply);
    },
  );
});
