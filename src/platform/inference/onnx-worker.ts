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
  /** Cheap enough for the main thread, both to load and to run. */
  readonly isCheap: boolean;
}

export type WorkerReply =
  | { readonly id: number; readonly ok: true; readonly result: unknown }
  | { readonly id: number; readonly ok: false; readonly error: ErrorBody };

/**
 * What a model may cost on the main thread: a run this long delays every other request by as much,
 * and loading it there blocks the loop once a deployment. A forest of 100 trees takes 10 us and
 * 4 ms. The median decides, and the fastest of a few loads: all else is other work on the machine.
 */
const CHEAP_RUN_P50_US = 100;
const CHEAP_LOAD_MS = 10;
const LOADS_MAX = 8;
/** A model that takes this long is slow however often it is tried. */
const SLOW_LOAD_MS = 100;
const WARM_UP_RUNS = 20;
const CALIBRATION_RUNS = 1000;
/** A slow model is slow after a few runs already; calibration must not take seconds. */
const CALIBRATION_MS_MAX = 250;

const port = present(parentPort, 'the parent port');
const sessions = new Map<number, OnnxSession>();
let nextModel = 1;

async function load(file: string): Promise<Loaded> {
  const { session, loadMs } = await openTimed(file);
  const times = await timeRuns(session);
  const [runP50Us, runP99Us] = [quantile(times, 0.5), quantile(times, 0.99)];
  const isCheap = runP50Us <= CHEAP_RUN_P50_US && loadMs <= CHEAP_LOAD_MS;
  const model = nextModel++;
  sessions.set(model, session);
  const { signature, runtime } = session;
  return { model, signature, runtime, loadMs, runP99Us, isCheap };
}

async function openTimed(
  file: string,
): Promise<{ readonly session: OnnxSession; readonly loadMs: number }> {
  // Starting the runtime takes longer than loading a small model and happens once: here, and
  // within the first load, which therefore does not count as slow.
  await loadRuntime();
  let loadMs = Infinity;
  for (let loads = 1; ; loads += 1) {
    const start = systemClock.elapsed();
    const session = await OnnxSession.open(file);
    loadMs = Math.min(loadMs, systemClock.elapsed() - start);
    const isSlow = loads > 1 && loadMs > SLOW_LOAD_MS;
    if (loadMs <= CHEAP_LOAD_MS || isSlow || loads === LOADS_MAX) return { session, loadMs };
    await session.release();
  }
}

/** Sorted times of single runs, microseconds. */
async function timeRuns(session: OnnxSession): Promise<readonly number[]> {
  const inputs = warmUpInputs(session.signature);
  const times: number[] = [];
  const start = systemClock.elapsed();
  for (let run = 0; run < WARM_UP_RUNS + CALIBRATION_RUNS; run += 1) {
    const before = systemClock.elapsed();
    await session.run(inputs, []);
    if (run >= WARM_UP_RUNS) times.push((systemClock.elapsed() - before) * 1000);
    if (systemClock.elapsed() - start > CALIBRATION_MS_MAX && times.length > 0) break;
  }
  return times.sort((a, b) => a - b);
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
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
