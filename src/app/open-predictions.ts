import type { DeclaredLabels } from '../capabilities/predictions/declared-labels.ts';
import { LabelService } from '../capabilities/predictions/label-service.ts';
import { LabelSourcesStore } from '../capabilities/predictions/label-sources-store.ts';
import { LabelSources } from '../capabilities/predictions/label-sources.ts';
import { PredictionLog } from '../capabilities/predictions/log.ts';
import { RequestIndex } from '../capabilities/predictions/request-index.ts';
import { PredictionsService } from '../capabilities/predictions/service.ts';
import type { Engine } from '../platform/engine/port.ts';
import type { Platform } from './open-platform.ts';

export interface PredictionParts {
  readonly predictionLog: PredictionLog;
  readonly predictions: PredictionsService;
  readonly labelSources: LabelSources;
  readonly labels: LabelService;
}

/** The log of answered requests, what is asked of it, and what came of them. */
export function openPredictions(
  platform: Platform,
  on: {
    readonly engine: Engine<never>;
    readonly isEndpoint: (name: string) => Promise<boolean>;
    readonly declared: DeclaredLabels;
  },
): PredictionParts {
  const { db, events, clock, journal, log: logger, index: kv } = platform;
  const { engine, isEndpoint, declared } = on;
  const predictionLog = new PredictionLog({ journal, engine, clock, events, log: logger });
  const index = new RequestIndex(kv);
  const log = predictionLog;
  const store = new LabelSourcesStore(db);
  const sources = new LabelSources({ declared, store, engine, log, events, clock, logger });
  return {
    predictionLog,
    predictions: new PredictionsService({ log, journal, engine, clock, index, isEndpoint }),
    labelSources: sources,
    labels: new LabelService({ sources, declared, log, engine, clock, isEndpoint }),
  };
}
