import type { EndpointSpec, RouteRevision } from '../../src/capabilities/serving/contract.ts';
import { Gateway } from '../../src/capabilities/serving/gateway.ts';
import { LiveRoutes, liveRoute } from '../../src/capabilities/serving/live-routes.ts';
import { oipRoutes } from '../../src/capabilities/serving/oip.ts';
import type { WarmModel } from '../../src/capabilities/serving/warm-models.ts';
import { compileReader } from '../../src/formats/oip/read-request.ts';
import { Connections, connectionsMax } from '../../src/platform/http/connections.ts';
import { createHttp } from '../../src/platform/http/server.ts';
import { OnnxInference } from '../../src/platform/inference/onnx.ts';
import { silentLog } from '../../src/platform/log/log.ts';
import { createIds, systemClock } from '../../src/platform/system.ts';

/**
 * The gateway's own HTTP layer and request path with a log that keeps nothing: what the journal and
 * its bookkeeping cost is the difference to the whole program. Arguments: PORT MODEL.
 */
const [port, model] = process.argv.slice(2) as [string, string];

const inference = new OnnxInference({ log: silentLog });
const loaded = await inference.load(model);
if (loaded.placement !== 'main') throw new Error(`The model runs in the ${loaded.placement}.`);
const version = { model: 'forest', version: 1, digest: 'none' } as WarmModel['version'];
const warm: WarmModel = { version, loaded, read: compileReader(loaded.signature) };
const spec: EndpointSpec = {
  model: 'forest',
  service: null,
  key: null,
  sticky: null,
  durability: 'async',
  rollout: null,
};
const revision: RouteRevision = {
  id: 'rt_bench',
  endpoint: 'forest',
  revision: 1,
  arms: [{ name: 'blue', model: 'forest', version: 1, digest: 'none', weight: 10_000 }],
  salt: 'rt_bench',
  actor: 'bench',
  reason: '',
  restores: null,
  isDrill: false,
  features: null,
  evidence: [],
  now: '',
  wall: '',
  hash: '',
};

const routes = new LiveRoutes();
routes.replace(liveRoute({ spec, revision, warm: [warm], features: new Map() }));
/** As with the journal, the answers of one turn of the event loop leave together at its end. */
const log = { append: () => new Promise<void>((resolve) => setImmediate(resolve)) };
const ids = createIds(systemClock);
const gateway = new Gateway({ routes, log, inference, clock: systemClock, ids });
const http = await createHttp({
  log: silentLog,
  clock: systemClock,
  allowedHosts: { names: [], anyAddress: false },
  // As of a workspace without tokens.
  access: {
    isRequired: false,
    sessionCookie: '',
    identify: () => null as never,
    refused: () => undefined,
  },
  connections: new Connections(connectionsMax(null)),
  routes: [],
  // Only native routes keep idempotency keys, and none is mounted.
  idempotency: null as never,
  plugins: [
    oipRoutes({
      gateway,
      routes,
      predictionLog: { room: 'roomy' },
      clock: systemClock,
      log: silentLog,
      programVersion: 'bench',
    }),
  ],
});
await http.listen({ host: '127.0.0.1', port: Number(port) });
// An orderly end, so that a profiler can write what it saw.
process.once('SIGINT', () => process.exit(0));
