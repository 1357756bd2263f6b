import { present } from '../base/assert.ts';
import { AppError } from '../base/errors.ts';
import { formatInstant, micros, parseInstant, type Micros } from '../base/time.ts';
import type { Exclusions } from '../capabilities/features/exclusions.ts';
import type { FeaturesService } from '../capabilities/features/service.ts';
import type { EvaluationFacts } from '../capabilities/loop/findings.ts';
import type { LoopPorts, TrainingState } from '../capabilities/loop/ports.ts';
import { LOOP_ACTOR } from '../capabilities/loop/recorder.ts';
import type { Evaluation } from '../capabilities/monitoring/contract.ts';
import type { MonitoringService } from '../capabilities/monitoring/service.ts';
import type { PipelinesService } from '../capabilities/pipelines/service.ts';
import type { DeclaredLabels } from '../capabilities/predictions/declared-labels.ts';
import type { LabelService } from '../capabilities/predictions/label-service.ts';
import type { LabelSources } from '../capabilities/predictions/label-sources.ts';
import { sleep } from '../platform/system.ts';

/** What monitors found, in the loop's words. */
export function loopMonitors(monitoring: MonitoringService): LoopPorts['monitors'] {
  return {
    evaluation: async (monitor, id) => {
      const found = await orNull(monitoring.evaluation(monitor, id));
      return found === null ? null : toFacts(found);
    },
    latest: async (monitor) => {
      const found = await orNull(monitoring.get(monitor));
      return found?.latest == null ? null : toFacts(found.latest);
    },
  };
}

function toFacts({ id, at, checks }: Evaluation): EvaluationFacts {
  return {
    id,
    at: instant(at),
    findings: checks.map((check) => {
      const { kind, subject, version, state, isBreach, since, until, explanation } = check;
      const { value, lower, upper, reference, threshold, rows, days } = check;
      return {
        kind,
        subject,
        version,
        state,
        isBreach,
        since: since === null ? null : instant(since),
        until: until === null ? null : instant(until),
        explanation,
        numbers: { value, lower, upper, reference, threshold, rows, days },
      };
    }),
  };
}

/** How often a run is asked whether it is over, at first and at most. */
const LOOK_MS_MIN = 20;
const LOOK_MS_MAX = 500;

/** Stages of the project that the state folder lies in, run as pipelines. */
export function loopTrainer(
  pipelines: PipelinesService,
  folderOf: (folder: string | null) => string,
): LoopPorts['trainer'] {
  const get = async (run: string): Promise<TrainingState> => {
    const { state, error } = await pipelines.get(run);
    if (state === 'queued' || state === 'running') return { state: 'running', error: null };
    if (state === 'succeeded') return { state, error: null };
    return { state: 'failed', error: error?.message ?? `it was ${state}` };
  };
  return {
    start: async ({ folder, stage, trainUntil, key }) => {
      const wish = { folder: folderOf(folder), targets: [stage], force: false };
      const started = { ...wish, trainUntil: formatInstant(trainUntil), key };
      return (await pipelines.start(started, LOOP_ACTOR)).id;
    },
    get,
    ended: async (run, signal) => {
      for (let ms = LOOK_MS_MIN; ; ms = Math.min(2 * ms, LOOK_MS_MAX)) {
        const state = await get(run);
        if (state.state !== 'running') return state;
        await sleep(ms, signal);
      }
    },
  };
}

/** Evaluation rows: a version of the challenger's training set over the held-out days. */
export function loopEvaluationRows(features: FeaturesService): LoopPorts['evaluationRows'] {
  return {
    build: async ({ trainingSet, span }) => {
      const built = await features.build(trainingSet, textsOf(span), LOOP_ACTOR);
      return built.version;
    },
  };
}

/** Counts of answered and labelled requests. */
export function loopRequests(on: {
  readonly labels: LabelService;
  readonly declared: DeclaredLabels;
  readonly sources: Pick<LabelSources, 'catchUp'>;
}): LoopPorts['requests'] {
  const { labels, declared, sources } = on;
  return {
    matureMicros: async (endpoint) => {
      const label = (await declared.labels()).find((one) => one.endpoint === endpoint);
      return label?.matureMicros ?? 0;
    },
    labelled: async ({ endpoint, span, at }) => {
      await sources.catchUp(at);
      const states = await labels.states(endpoint, { ...textsOf(span), at: formatInstant(at) });
      return states.matched;
    },
    answered: async ({ endpoint, version, span }) => {
      const states = await labels.states(endpoint, { ...textsOf(span), version });
      return { requests: states.requests + states.failed, errors: states.failed };
    },
  };
}

function textsOf(span: { readonly from: Micros; readonly until: Micros }) {
  return { from: formatInstant(span.from), until: formatInstant(span.until) };
}

/** Exclusions read at once; a loop asks about some days. */
const EXCLUSIONS = 1000;

/** Times kept out of training sets, for all of them: the input is shared. */
export function loopExclusions(exclusions: Exclusions): LoopPorts['exclusions'] {
  return {
    record: async ({ key, from, until, reason }) => {
      const end = until === null ? {} : { until: formatInstant(until) };
      const input = { key, from: formatInstant(from), ...end, reason };
      return (await exclusions.record(input, LOOP_ACTOR)).id;
    },
    end: async (id, until) => {
      await exclusions.end(id, formatInstant(until), LOOP_ACTOR);
    },
    touching: async (span) => {
      const { items } = await exclusions.list({ limit: EXCLUSIONS });
      return items
        .filter(({ withdrawnAt }) => withdrawnAt === null)
        .map(({ from, until, reason }) => ({
          from: instant(from),
          until: until === null ? null : instant(until),
          reason,
        }))
        .filter(({ from, until }) => from < span.until && (until === null || span.from < until))
        .toSorted((a, b) => a.from - b.from);
    },
  };
}

function instant(text: string): Micros {
  return micros(present(parseInstant(text), 'an instant that was written here'));
}

/** What is gone is nothing to act on. */
async function orNull<T>(found: Promise<T>): Promise<T | null> {
  try {
    return await found;
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.status === 404) return null;
    throw thrown;
  }
}
