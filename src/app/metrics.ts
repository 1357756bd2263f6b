import type { FastifyInstance } from 'fastify';
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import type { PredictionLog } from '../capabilities/predictions/log.ts';
import type { Platform } from './open-platform.ts';

/**
 * Mounts `/metrics` in Prometheus form. Values are read when they are scraped, so that counting
 * costs the request path nothing of its own.
 */
export function serveMetrics(
  http: FastifyInstance,
  of: { readonly platform: Platform; readonly log: PredictionLog },
): void {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'millwright_' });
  registry.registerMetric(requestCounter(of.log));
  registry.registerMetric(
    counter('millwright_predictions_flushed_total', {
      help: 'Prediction records put into their tables',
      read: () => of.log.status().flushed,
    }),
  );
  registry.registerMetric(
    counter('millwright_engine_restarts_total', {
      help: 'Times the engine process was started again after it died',
      read: () => of.platform.engine.restarts,
    }),
  );
  registry.registerMetric(
    new Gauge({
      name: 'millwright_journal_open_bytes',
      help: 'Bytes of the journal segment being written',
      registers: [],
      collect() {
        this.set(of.log.status().unflushedBytes);
      },
    }),
  );
  http.get('/metrics', async (_, reply) =>
    reply.type(registry.contentType).send(await registry.metrics()),
  );
}

function requestCounter(log: PredictionLog): Counter {
  return new Counter({
    name: 'millwright_requests_total',
    help: 'Inference requests answered, by endpoint and the model version that answered',
    labelNames: ['endpoint', 'version', 'outcome'],
    registers: [],
    collect() {
      this.reset();
      for (const { endpoint, modelVersion, requests, errors } of log.traffic.totals()) {
        const labels = { endpoint, version: String(modelVersion) };
        this.inc({ ...labels, outcome: 'ok' }, requests - errors);
        this.inc({ ...labels, outcome: 'error' }, errors);
      }
    },
  });
}

function counter(
  name: string,
  of: { readonly help: string; readonly read: () => number },
): Counter {
  return new Counter({
    name,
    help: of.help,
    registers: [],
    collect() {
      this.reset();
      this.inc(of.read());
    },
  });
}
