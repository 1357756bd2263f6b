import path from 'node:path';
import { AppError } from '../base/errors.ts';
import type { Exclusions } from '../capabilities/features/exclusions.ts';
import type { FeaturesService } from '../capabilities/features/service.ts';
import type { Comparison as LoopComparison } from '../capabilities/loop/gate.ts';
import { loopsPlan } from '../capabilities/loop/plan.ts';
import type { LoopPorts } from '../capabilities/loop/ports.ts';
import { LoopService } from '../capabilities/loop/service.ts';
import { LoopStore } from '../capabilities/loop/store.ts';
import type { Comparison } from '../capabilities/monitoring/compare-contract.ts';
import type { CompareService } from '../capabilities/monitoring/compare-service.ts';
import type { MonitoringService } from '../capabilities/monitoring/service.ts';
import type { PipelinesService } from '../capabilities/pipelines/service.ts';
import type { DeclaredLabels } from '../capabilities/predictions/declared-labels.ts';
import type { LabelService } from '../capabilities/predictions/label-service.ts';
import type { LabelSources } from '../capabilities/predictions/label-sources.ts';
import type { ModelCatalog } from '../capabilities/registry/catalog.ts';
import type { RegistryService } from '../capabilities/registry/service.ts';
import type { ServingService } from '../capabilities/serving/service.ts';
import type { ServingStore } from '../capabilities/serving/store.ts';
import type { VersionOrigins } from '../capabilities/serving/version-origin.ts';
import type { PlanPart } from '../platform/capability.ts';
import {
  loopEvaluationRows,
  loopExclusions,
  loopMonitors,
  loopRequests,
  loopTrainer,
} from './loop-ports.ts';
import { loopCandidates, loopReleases } from './loop-versions.ts';
import type { Platform } from './open-platform.ts';

export interface LoopParts {
  readonly service: LoopService;
  readonly plan: PlanPart;
  /** Begins to act, once everything that it acts on is there. */
  readonly start: () => Promise<void>;
}

interface On {
  readonly monitoring: MonitoringService;
  readonly compare: CompareService;
  readonly pipelines: PipelinesService;
  readonly serving: ServingService;
  readonly endpoints: ServingStore;
  readonly registry: RegistryService;
  readonly catalog: ModelCatalog;
  readonly origins: VersionOrigins;
  readonly features: FeaturesService;
  readonly exclusions: Exclusions;
  readonly labels: LabelService;
  readonly declared: DeclaredLabels;
  readonly labelSources: Pick<LabelSources, 'catchUp'>;
}

/** Closed loops over everything else: the only part that acts on all of it. */
export function openLoop(platform: Platform, on: On, closing: AsyncDisposableStack): LoopParts {
  const { db, events, timers, clock, ids, faults, log, folder, inference } = platform;
  // The state folder lies in the project's, as millwright.yaml does.
  const project = path.dirname(folder.root);
  const ports: LoopPorts = {
    monitors: loopMonitors(on.monitoring),
    trainer: loopTrainer(on.pipelines, (wanted) => path.resolve(project, wanted ?? '.')),
    releases: loopReleases(on),
    candidates: loopCandidates({ ...on, inference }),
    judge: judge(on.compare),
    evaluationRows: loopEvaluationRows(on.features),
    requests: loopRequests({ ...on, sources: on.labelSources }),
    exclusions: loopExclusions(on.exclusions),
  };
  const store = new LoopStore(db);
  const service = new LoopService({ store, ports, events, timers, clock, ids, faults, log });
  const hasEndpoint = async (name: string): Promise<boolean> =>
    (await on.endpoints.findEndpoint(name)) !== null;
  return {
    service,
    plan: loopsPlan({ loops: service, hasEndpoint }),
    start: async () => {
      closing.defer(await service.start());
    },
  };
}

/** Both versions on the same rows, by the comparisons that anybody may ask for. */
function judge(compare: CompareService): LoopPorts['judge'] {
  return {
    onRows: async ({ model, champion, challenger, metric, level, span, ...rows }) => {
      const { trainingSet, trainingVersion } = rows;
      const versions = [champion, challenger];
      const asked = { versions, base: champion, level, ...span };
      const found = await compare.onRows({ ...asked, model, trainingSet, trainingVersion });
      return toComparison(found, { champion, challenger, metric });
    },
    onLog: async ({ endpoint, champion, challenger, metric, level, span, at }) => {
      const versions = [champion, challenger];
      const asked = { versions, base: champion, level, ...span };
      try {
        const found = await compare.onLog({ ...asked, endpoint, at });
        return found.rows === 0 ? null : toComparison(found, { champion, challenger, metric });
      } catch (thrown) {
        // Before a request has both an answer and a label there is nothing to compare.
        if (thrown instanceof AppError && thrown.code === 'TABLE_NOT_FOUND') return null;
        throw thrown;
      }
    },
  };
}

function toComparison(
  { rows, positives, days, versions }: Comparison,
  on: { readonly champion: number; readonly challenger: number; readonly metric: string },
): LoopComparison {
  const of = (version: number) => {
    const found = versions.find((one) => one.version === version);
    if (found === undefined) throw new AppError('INTERNAL', `v${version} was not compared.`);
    const { auc, logLoss, meanScore, missing, improvements } = found;
    return { figures: { auc, logLoss, meanScore, missing }, improvements };
  };
  const challenger = of(on.challenger);
  const found = challenger.improvements.find(({ metric }) => metric === on.metric);
  const { value = null, lower = null, upper = null, level = 0 } = found ?? {};
  const isBounded = value !== null && lower !== null && upper !== null;
  return {
    rows,
    positives,
    blocks: days,
    champion: of(on.champion).figures,
    challenger: challenger.figures,
    improvement: isBounded ? { value, lower, upper, level } : null,
  };
}
