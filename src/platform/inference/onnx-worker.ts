import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { present } from '../../base/assert.ts';
import { toAppError, type ErrorBody } from '../../base/errors.ts';
import type { Tensor } from '../../formats/oip/tensor.ts';
import { systemClock } from '../system.ts';
import { loadRuntime, OnnxSession, warmUpInputs } from './onnx-session.ts';
import type { ModelSignature } from './port.ts';

/** Thread that loads, judges and runs models, so that the main thread never waits. */

export interface ThreadSettings {
  /** How far it steps back behind other threads, 0 to 19. */
  readonly niceness: number;
}

export type ThreadRequest =
  | { readonly id: number; readonly kind: 'inspect'; readonly file: string }
  | { readonly id: number; readonly kind: 'judge'; readonly file: string }
  /** Answers the number that `run` and `release` name the model by. */
  | { readonly id: number; readonly kind: 'open'; readonly file: string }
  | {
      readonly id: number;
      readonly kind: 'run';
      readonly model: number;
      readonly inputs: readonly Tensor[];
      readonly outputs: readonly string[];
    }
  | { readonly id: number; readonly kind: 'release'; readonly model: number };

export interface Judged {
  readonly signature: ModelSignature;
  readonly runtime: string;
  readonly loadMs: number;
  readonly runP99Us: number;
  /** Cheap enough for the main thread, both to load and to run. */
  readonly isCheap: boolean;
}

export type ThreadReply =
  | { readonly id: number; readonly ok: true; readonly result: unknown }
  | { readonly id: number; readonly ok: false; readonly error: ErrorBody };

/**
 * What a model may cost on the main thread: a run this long delays every other request by as much,
 * and loading it there blocks the loop once a deployment. A forest of 100 trees takes 10 us and
 * 4 ms. The median of runs and the CPU time of the cheapest load decide: all else is other work on
 * the machine.
 */
const CHEAP_RUN_P50_US = 100;
const CHEAP_LOAD_CPU_MS = 10;
const LOADS_MAX = 4;
/** A model that takes this long is slow however often it is tried. */
const SLOW_LOAD_CPU_MS = 40;
const WARM_UP_RUNS = 20;
const CALIBRATION_RUNS = 1000;
/** A slow model is slow after a few runs already; calibration must not take seconds. */
const CALIBRATION_MS_MAX = 250;

const port = present(parentPort, 'the parent port');
const { niceness } = workerData as ThreadSettings;
const sessions = new Map<number, OnnxSession>();
let nextModel = 1;

// Elsewhere than on Linux it would hold for the whole process.
if (niceness > 0 && process.platform === 'linux') setPriority(niceness);

async function inspect(file: string): Promise<ModelSignature> {
  const session = await OnnxSession.open(file);
  await session.release();
  return session.signature;
}

async function judge(file: string): Promise<Judged> {
  const { session, loadMs, loadCpuMs } = await openTimed(file);
  const times = await timeRuns(session);
  await session.release();
  const [runP50Us, runP99Us] = [quantile(times, 0.5), quantile(times, 0.99)];
  const isCheap = runP50Us <= CHEAP_RUN_P50_US && loadCpuMs <= CHEAP_LOAD_CPU_MS;
  const { signature, runtime } = session;
  return { signature, runtime, loadMs, runP99Us, isCheap };
}

async function openTimed(file: string): Promise<{
  readonly session: OnnxSession;
  readonly loadMs: number;
  readonly loadCpuMs: number;
}> {
  // Starting the runtime takes longer than loading a small model and happens once: here, and
  // within the first load, which therefore does not count as slow.
  await loadRuntime();
  let [loadMs, loadCpuMs] = [Infinity, Infinity];
  for (let loads = 1; ; loads += 1) {
    const [start, cpu] = [systemClock.elapsed(), process.threadCpuUsage()];
    const session = await OnnxSession.open(file);
    const { user, system } = process.threadCpuUsage(cpu);
    loadMs = Math.min(loadMs, systemClock.elapsed() - start);
    loadCpuMs = Math.min(loadCpuMs, (user + system) / 1000);
    const isCheap = loadCpuMs <= CHEAP_LOAD_CPU_MS;
    const isSlow = loads > 1 && loadCpuMs > SLOW_LOAD_CPU_MS;
    if (isCheap || isSlow || loads === LOADS_MAX) return { session, loadMs, loadCpuMs };
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

async function open(file: string): Promise<number> {
  const session = await OnnxSession.open(file);
  await session.run(warmUpInputs(session.signature), []);
  const model = nextModel++;
  sessions.set(model, session);
  return model;
}

async function answer(request: ThreadRequest): Promise<unknown> {
  switch (request.kind) {
    case 'inspect':
      return inspect(request.file);
    case 'judge':
      return judge(request.file);
    case 'open':
      return open(request.file);
    case 'run':
      return opened(request.model).run(request.inputs, request.outputs);
    case 'release': {
      const session = opened(request.model);
      sessions.delete(request.model);
      await session.release();
      return null;
    }
  }
}

function opened(model: number): OnnxSession {
  return present(sessions.get(model), `model ${model}`);
}

port.on('message', (request: ThreadRequest) => {
  answer(request).then(
    (result) => port.postMessage({ id: request.id, ok: true, result } satisfies ThreadReply),
    (thrown: unknown) => {
      const error = toAppError(thrown).toBody();
      port.postMessage({ id: request.id, ok: false, error } satisfies ThreadReply);
    },
  );
});
