import type { FastifyInstance } from 'fastify';
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import type { AuthService } from '../capabilities/auth/service.ts';
import type { MonitoringService } from '../capabilities/monitoring/service.ts';
import type { PredictionLog } from '../capabilities/predictions/log.ts';
import { monitorMetrics } from './monitor-metrics.ts';
import type { Platform } from './open-platform.ts';

/**
 * Mounts `/metrics` in Prometheus form. Values are read when they are scraped, so that counting
 * costs the request path nothing of its own.
 */
export function serveMetrics(
  http: FastifyInstance,
  of: {
    readonly platform: Platform;
    readonly log: PredictionLog;
    readonly monitoring: MonitoringService;
    readonly auth: AuthService;
  },
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
    counter('millwright_predictions_quarantined_total', {
      help: 'Records that their tables refused, put into quarantine',
      read: () => of.log.status().quarantined,
    }),
  );
  registry.registerMetric(
    counter('millwright_predictions_refused_total', {
      help: 'Requests and labels refused because the journal was full',
      read: () => of.log.status().refused,
    }),
  );
  registry.registerMetric(
    counter('millwright_auth_refused_total', {
      help: 'Requests without a token that may make them',
      read: () => of.auth.refusals,
    }),
  );
  registry.registerMetric(
    gauge('millwright_journal_bytes', {
      help: 'Bytes of records that are not in their tables yet, all segments of the journal',
      read: () => of.log.status().unflushedBytes,
    }),
  );
  registry.registerMetric(
    gauge('millwright_journal_limit_bytes', {
      help: 'Bytes of the journal at which requests are refused',
      read: () => of.log.status().unflushedBytesMax,
    }),
  );
  registry.registerMetric(
    gauge('millwright_journal_segments', {
      help: 'Segments of the journal that hold records',
      read: () => of.log.status().segments,
    }),
  );
  for (const metric of [
    ...monitorMetrics(of.monitoring),
    ...engineMetrics(of.platform),
    ...connectionMetrics(of.platform),
  ]) {
    registry.registerMetric(metric);
  }
  http.get('/metrics', async (_, reply) =>
    reply.type(registry.contentType).send(await registry.metrics()),
  );
}

function engineMetrics({ engine }: Platform): readonly (Counter | Gauge)[] {
  return [
    counter('millwright_engine_restarts_total', {
      help: 'Times the engine process was started again after it died',
      read: () => engine.restarts,
    }),
    gauge('millwright_engine_paused', {
      help: '1 while the engine is paused because it dies in a loop',
      read: () => (engine.state === 'broken' ? 1 : 0),
    }),
  ];
}

function connectionMetrics({ connections }: Platform): readonly Counter[] {
  return [
    counter('millwright_connections_dropped_total', {
      help: 'Connections refused because as many as the limit were open',
      read: () => connections.dropped,
    }),
    counter('millwright_connections_cut_total', {
      help: 'Connections of clients that stopped in the middle of a request or an answer',
      read: () => connections.cut,
    }),
  ];
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

function gauge(name: string, of: { readonly help: string; readonly read: () => number }): Gauge {
  return new Gauge({
    name,
    help: of.help,
    registers: [],
    collect() {
      this.set(of.read());
    },
  });
}
