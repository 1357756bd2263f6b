import { PredictionLog } from '../capabilities/predictions/log.ts';
import { RequestIndex } from '../capabilities/predictions/request-index.ts';
import { PredictionsService } from '../capabilities/predictions/service.ts';
import type { Engine } from '../platform/engine/port.ts';
import type { Platform } from './open-platform.ts';

/** The log of answered requests and what is asked of it. */
export function openPredictions(
  platform: Platform,
  on: {
    readonly engine: Engine<never>;
    readonly isEndpoint: (name: string) => Promise<boolean>;
  },
): { readonly predictionLog: PredictionLog; readonly predictions: PredictionsService } {
  const { events, clock, journal, log, index: kv } = platform;
  const { engine, isEndpoint } = on;
  const predictionLog = new PredictionLog({ journal, engine, clock, events, log });
  const index = new RequestIndex(kv);
  const deps = { log: predictionLog, journal, engine, clock, index, isEndpoint };
  return { predictionLog, predictions: new PredictionsService(deps) };
}
