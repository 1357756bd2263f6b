import { present } from '../base/assert.ts';
import { AppError } from '../base/errors.ts';
import { micros, parseInstant, type Micros } from '../base/time.ts';
import type { FeaturesService } from '../capabilities/features/service.ts';
import type { Guardrail } from '../capabilities/loop/gate.ts';
import { spanMicros } from '../capabilities/loop/loop-policy.ts';
import type { LoopPorts } from '../capabilities/loop/ports.ts';
import { LOOP_ACTOR } from '../capabilities/loop/recorder.ts';
import type { ModelCatalog } from '../capabilities/registry/catalog.ts';
import type { RegistryService } from '../capabilities/registry/service.ts';
import type { Arm, RouteRevision } from '../capabilities/serving/contract.ts';
import type { ServingService } from '../capabilities/serving/service.ts';
import type { ServingStore } from '../capabilities/serving/store.ts';
import type { VersionOrigins } from '../capabilities/serving/version-origin.ts';
import type { Inference } from '../platform/inference/port.ts';

/** The alias that clients of MLflow know the version in force by. */
const CHAMPION = 'champion';
/** Revisions looked through at once for the first one of a version. */
const REVISIONS = 200;

/** Routes as the loop changes them: blue/green and back. */
export function loopReleases(on: {
  readonly serving: Pick<ServingService, 'deploy' | 'rollback'>;
  readonly endpoints: ServingStore;
  readonly catalog: Pick<ModelCatalog, 'setAlias'>;
}): LoopPorts['releases'] {
  const { serving, endpoints, catalog } = on;
  /** When a version first took an endpoint's traffic never changes. */
  const first = new Map<string, Micros>();
  const since = async (endpoint: string, arm: Arm): Promise<Micros> => {
    const key = `${endpoint}/${arm.model}@${arm.version}`;
    const known = first.get(key);
    if (known !== undefined) return known;
    for (let after = 0; ;) {
      const page = await endpoints.revisionsAfter(endpoint, { after, limit: REVISIONS });
      const found = page.find(({ arms }) => mainArm(arms).version === arm.version);
      if (found !== undefined) {
        const at = instant(found.now);
        first.set(key, at);
        return at;
      }
      after = present(page.at(-1), 'the revision that routes to the version').revision;
    }
  };
  return {
    current: async (endpoint) => {
      const revision = await currentOf(endpoints, endpoint);
      if (revision === null) return null;
      const arm = mainArm(revision.arms);
      const { model, version } = arm;
      const at = await since(endpoint, arm);
      return { model, version, revision: revision.revision, by: revision.actor, since: at };
    },
    guardOf: async (endpoint) => {
      const guard = (await endpoints.findEndpoint(endpoint))?.rollout?.guard ?? null;
      if (guard === null) return null;
      return { requests: guard.requests, forMicros: spanMicros(guard.for) };
    },
    deploy: async ({ endpoint, version, ifRevision: seen, reason }) => {
      const ifRevision = await pastDrills(endpoints, endpoint, seen);
      const change = { endpoint, version, ifRevision, reason, actor: LOOP_ACTOR };
      return (await serving.deploy(change)).revision;
    },
    rollback: async ({ endpoint, to, ifRevision: seen, reason }) => {
      const ifRevision = await pastDrills(endpoints, endpoint, seen);
      const change = { endpoint, to, ifRevision, reason, actor: LOOP_ACTOR };
      return (await serving.rollback(change)).revision;
    },
    promote: (model, version) => catalog.setAlias(model, CHAMPION, version),
  };
}

/** The route in force; a drill has changed nothing, so what it came back to is meant. */
async function currentOf(endpoints: ServingStore, endpoint: string): Promise<RouteRevision | null> {
  const found = await endpoints.findEndpoint(endpoint);
  if (found === null || found.currentRevision === 0) return null;
  let revision = await endpoints.requireRevision(endpoint, found.currentRevision);
  while (revision.isDrill) {
    const to = present(revision.restores, 'the revision that a drill came back to');
    revision = await endpoints.requireRevision(endpoint, to);
  }
  return revision;
}

/** The number that is current while what was seen is in force, drills since then aside. */
async function pastDrills(
  endpoints: ServingStore,
  endpoint: string,
  seen: number,
): Promise<number> {
  const current = await currentOf(endpoints, endpoint);
  if (current?.revision !== seen) return seen;
  return (await endpoints.requireEndpoint(endpoint)).currentRevision;
}

/** The one that most requests go to; of equals the last, where a canary stands. */
function mainArm(arms: readonly Arm[]): Arm {
  const [heaviest] = arms.toReversed().toSorted((a, b) => b.weight - a.weight);
  return present(heaviest, 'an arm of a revision');
}

interface CandidateParts {
  readonly registry: RegistryService;
  readonly origins: VersionOrigins;
  readonly features: FeaturesService;
  readonly endpoints: ServingStore;
  readonly inference: Inference;
}

/** Versions looked through for one that a run made: it has just done so. */
const NEWEST = 50;

/** Versions as candidates: where they come from, and whether they are fit to be served. */
export function loopCandidates(on: CandidateParts): LoopPorts['candidates'] {
  const { registry, origins, features, endpoints } = on;
  return {
    madeBy: async ({ model, pipelineRun }) => {
      try {
        const { items } = await registry.listVersions(model, { limit: NEWEST });
        for (const version of items) {
          const made = await registry.lineageOf(version);
          if (made?.pins?.pipelineRun === pipelineRun) return version.version;
        }
        return null;
      } catch (thrown) {
        if (thrown instanceof AppError && thrown.code === 'MODEL_NOT_FOUND') return null;
        throw thrown;
      }
    },
    require: async (model, version) => {
      await registry.getVersion(model, version, { refuseDeleted: true });
    },
    trainedOn: async (model, version) => {
      const origin = await origins.originOf(model, version);
      const trainingSet = origin?.trainingSet ?? null;
      const definition = origin?.definition ?? null;
      if (trainingSet === null) return { trainingSet, until: null, definition };
      const built = await orNull(features.version(trainingSet.name, trainingSet.version));
      const until = built === null ? null : instant(built.range.until);
      return { trainingSet, until, definition };
    },
    guardrails: async (request) => [
      await signatureGuardrail(registry, request),
      await definitionGuardrail(on, endpoints, request),
      await latencyGuardrail(on, request),
    ],
  };
}

type Beside = Parameters<LoopPorts['candidates']['guardrails']>[0];

async function signatureGuardrail(
  registry: RegistryService,
  { model, champion, challenger }: Beside,
): Promise<Guardrail> {
  const [former, own] = await Promise.all([
    registry.getVersion(model, champion),
    registry.getVersion(model, challenger),
  ]);
  const isSame = JSON.stringify(former.signature) === JSON.stringify(own.signature);
  return {
    name: 'signature',
    result: isSame ? 'passed' : 'vetoed',
    summary: isSame ? 'the same tensors' : "its tensors differ from the champion's",
  };
}

async function definitionGuardrail(
  { origins }: CandidateParts,
  endpoints: ServingStore,
  { endpoint, model, challenger }: Beside,
): Promise<Guardrail> {
  const name = 'definition';
  const joined = (await currentOf(endpoints, endpoint))?.features ?? null;
  if (joined === null) {
    return { name, result: 'not_done', summary: 'the endpoint joins no features' };
  }
  const own = (await origins.originOf(model, challenger))?.definition ?? null;
  const shown = joined.definition.slice(0, 12);
  return own === joined.definition
    ? { name, result: 'passed', summary: `trained on definition ${shown}, which is served` }
    : {
        name,
        result: 'vetoed',
        summary: `it was trained on definition ${own?.slice(0, 12) ?? 'none'}, ${shown} is served`,
      };
}

/** How much slower a run may be than the champion's, and what is fast enough in any case. */
const SLOWER_MAX = 5;
const FAST_US = 10_000;
/** A version that looks slow is looked at again so often: the machine may be busy. */
const LOOKS = 5;

/** Loaded as for serving; the limits are wide, because the machine's load must not decide. */
async function latencyGuardrail(
  { registry, inference }: CandidateParts,
  { model, champion, challenger }: Beside,
): Promise<Guardrail> {
  const median = async (version: number): Promise<number> => {
    const file = await registry.localFile(await registry.getVersion(model, version));
    const loaded = await inference.load(file);
    await loaded.release();
    return loaded.runP50Us;
  };
  let [former, own] = [Infinity, Infinity];
  const isSlow = (): boolean => own > FAST_US && own > SLOWER_MAX * former;
  for (let look = 0; look === 0 || (look < LOOKS && isSlow()); look += 1) {
    former = Math.min(former, await median(champion));
    own = Math.min(own, await median(challenger));
  }
  const [ownMs, formerMs] = [own, former].map((us) => `${(us / 1000).toFixed(2)} ms`);
  const summary = `a run takes ${ownMs}, the champion's ${formerMs} (median)`;
  return { name: 'latency', result: isSlow() ? 'vetoed' : 'passed', summary };
}

function instant(text: string): Micros {
  return micros(present(parseInstant(text), 'an instant that was written here'));
}

/** A training set that is gone tells nothing of its days. */
async function orNull<T>(found: Promise<T>): Promise<T | null> {
  try {
    return await found;
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.status === 404) return null;
    throw thrown;
  }
}
