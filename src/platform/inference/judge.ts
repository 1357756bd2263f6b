import { systemClock } from '../system.ts';
import { answerJson } from './answer-json.ts';
import { loadRuntime, OnnxSession, warmUpInputs } from './onnx-session.ts';
import type { ModelSignature } from './port.ts';

export interface Judged {
  readonly signature: ModelSignature;
  readonly runtime: string;
  readonly loadMs: number;
  readonly runP50Us: number;
  readonly runP99Us: number;
  /** Cheap enough for the main thread, both to load and to run. */
  readonly isCheap: boolean;
  /**
   * The main thread runs a request when none of its open dimensions (the batch, as a rule) is
   * longer than this.
   */
  readonly openMax: number;
}

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
/** CPU time of a batch on the main thread: half of what may hold it; reading takes the rest. */
const CHEAP_BATCH_US = 1000;
const BATCH_RUNS = 3;
/** Elements of the largest batch that is tried; longer requests are read in the worker anyhow. */
const BATCH_ELEMENTS_MAX = 65_536;
const NO_FRAME = { before: '', after: '' };

/** Loads the model and measures it, batch 1 first and then longer ones, answers written out. */
export async function judge(file: string): Promise<Judged> {
  const { session, loadMs, loadCpuMs } = await openTimed(file);
  const times = await timeRuns(session);
  const [runP50Us, runP99Us] = [quantile(times, 0.5), quantile(times, 0.99)];
  const isCheap = runP50Us <= CHEAP_RUN_P50_US && loadCpuMs <= CHEAP_LOAD_CPU_MS;
  const openMax = isCheap ? await longestCheap(session) : 1;
  await session.release();
  const { signature, runtime } = session;
  return { signature, runtime, loadMs, runP50Us, runP99Us, isCheap, openMax };
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
    loadMs = Math.min(loadMs, systemClock.elapsed() - start);
    loadCpuMs = Math.min(loadCpuMs, cpuUsSince(cpu) / 1000);
    const isCheap = loadCpuMs <= CHEAP_LOAD_CPU_MS;
    const isSlow = loads > 1 && loadCpuMs > SLOW_LOAD_CPU_MS;
    if (isCheap || isSlow || loads === LOADS_MAX) return { session, loadMs, loadCpuMs };
    await session.release();
  }
}

/** Sorted times of single runs, microseconds. */
async function timeRuns(session: OnnxSession): Promise<readonly number[]> {
  const inputs = warmUpInputs(session.signature, 1);
  const times: number[] = [];
  const start = systemClock.elapsed();
  for (let run = 0; run < WARM_UP_RUNS + CALIBRATION_RUNS; run += 1) {
    const before = systemClock.elapsed();
    writeOut(await session.run(inputs, []));
    if (run >= WARM_UP_RUNS) times.push((systemClock.elapsed() - before) * 1000);
    if (systemClock.elapsed() - start > CALIBRATION_MS_MAX && times.length > 0) break;
  }
  return times.sort((a, b) => a - b);
}

/**
 * The longest open dimension, in powers of two, with which a run is still cheap. All of them grow
 * together, so that whatever a request leaves shorter costs less.
 */
async function longestCheap(session: OnnxSession): Promise<number> {
  let longest = 1;
  for (let length = 2; elementsOf(session.signature, length) <= BATCH_ELEMENTS_MAX; length *= 2) {
    if (length > BATCH_ELEMENTS_MAX || !(await isCheapAt(session, length))) break;
    longest = length;
  }
  return longest;
}

async function isCheapAt(session: OnnxSession, length: number): Promise<boolean> {
  const inputs = warmUpInputs(session.signature, length);
  let us = Infinity;
  try {
    for (let run = 0; run < BATCH_RUNS; run += 1) {
      const cpu = process.threadCpuUsage();
      writeOut(await session.run(inputs, []));
      us = Math.min(us, cpuUsSince(cpu));
    }
  } catch {
    // A model that takes no such lengths answers no such requests.
    return false;
  }
  return us <= CHEAP_BATCH_US;
}

function elementsOf(signature: ModelSignature, length: number): number {
  return signature.inputs.reduce(
    (sum, { shape }) =>
      sum + shape.reduce((product, size) => product * (size === -1 ? length : size), 1),
    0,
  );
}

/** Zeros may come out as NaN, which has no JSON form: such an answer costs nothing to write. */
function writeOut(outputs: Parameters<typeof answerJson>[0]): void {
  try {
    answerJson(outputs, NO_FRAME);
  } catch {
    return;
  }
}

function cpuUsSince(start: NodeJS.CpuUsage): number {
  const { user, system } = process.threadCpuUsage(start);
  return user + system;
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
}
