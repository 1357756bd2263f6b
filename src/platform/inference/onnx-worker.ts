import { parentPort } from 'node:worker_threads';
import { present } from '../../base/assert.ts';
import { toAppError, type ErrorBody } from '../../base/errors.ts';
import type { Tensor } from '../../formats/oip/tensor.ts';
import { systemClock } from '../system.ts';
import { loadRuntime, OnnxSession, warmUpInputs } from './onnx-session.ts';
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

/** Other work on the machine holds runs up: the calmest of a few stretches counts. */
const STRETCHES = 5;
const RUNS_PER_STRETCH = 200;
/** A slow model is slow after a few runs already; calibration must not take seconds. */
const CALIBRATION_MS_MAX = 250;
const WARM_UP_RUNS = 20;
/** Other work holds loads up as well: the fastest of a few tells the model's own. */
const LOADS = 3;
/** A model that takes this long is slow however often it is tried. */
const SLOW_LOAD_MS = 100;

const port = present(parentPort, 'the parent port');
const sessions = new Map<number, OnnxSession>();
let nextModel = 1;

async function load(file: string): Promise<Loaded> {
  const { session, loadMs } = await openTimed(file);
  const runP99Us = await calibrate(session);
  const model = nextModel++;
  sessions.set(model, session);
  return { model, signature: session.signature, runtime: session.runtime, loadMs, runP99Us };
}

async function openTimed(
  file: string,
): Promise<{ readonly session: OnnxSession; readonly loadMs: number }> {
  // Starting the runtime takes longer than loading a small model and happens once.
  await loadRuntime();
  let loadMs = Infinity;
  for (let left = LOADS - 1; ; left -= 1) {
    const start = systemClock.elapsed();
    const session = await OnnxSession.open(file);
    loadMs = Math.min(loadMs, systemClock.elapsed() - start);
    if (left === 0 || loadMs > SLOW_LOAD_MS) return { session, loadMs };
    await session.release();
  }
}

/** 99th percentile of one run, microseconds. */
async function calibrate(session: OnnxSession): Promise<number> {
  const inputs = warmUpInputs(session.signature);
  const deadline = systemClock.elapsed() + CALIBRATION_MS_MAX;
  await timeRuns(session, { inputs, runs: WARM_UP_RUNS, deadline });
  let p99 = Infinity;
  for (let stretch = 0; stretch < STRETCHES; stretch += 1) {
    const times = await timeRuns(session, { inputs, runs: RUNS_PER_STRETCH, deadline });
    p99 = Math.min(p99, times[Math.floor(times.length * 0.99)]!);
    if (systemClock.elapsed() > deadline) break;
  }
  return p99;
}

/** Sorted times in microseconds: of one run at least, of no more than the deadline allows. */
async function timeRuns(
  session: OnnxSession,
  options: { readonly inputs: readonly Tensor[]; readonly runs: number; readonly deadline: number },
): Promise<readonly number[]> {
  const times: number[] = [];
  for (let run = 0; run < options.runs; run += 1) {
    const before = systemClock.elapsed();
    await session.run(options.inputs, []);
    times.push((systemClock.elapsed() - before) * 1000);
    if (systemClock.elapsed() > options.deadline) break;
  }
  return times.sort((a, b) => a - b);
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
