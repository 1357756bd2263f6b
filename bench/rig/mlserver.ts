import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ROOT } from '../../scripts/run.ts';
import { python } from './python.ts';
import { answers, freePort, start, type Running } from './running.ts';

/** What only costs time is switched off, so that the comparison is in MLServer's favour. */
const IN_ITS_FAVOUR = {
  parallel_workers: 0,
  debug: false,
  metrics_endpoint: null,
  gzip_enabled: false,
} as const;

export interface MlServer extends Running {
  readonly inferUrl: string;
  readonly settings: Readonly<Record<string, unknown>>;
}

/** MLServer with one ONNX model named `forest`, run in the server's own process. */
export async function startMlServer(options: {
  readonly model: string;
  readonly folder: string;
  readonly core: number;
}): Promise<MlServer> {
  const { model, folder, core } = options;
  mkdirSync(folder, { recursive: true });
  const [port, grpcPort] = [await freePort(), await freePort()];
  const settings = { host: '127.0.0.1', http_port: port, grpc_port: grpcPort, ...IN_ITS_FAVOUR };
  const modelSettings = {
    name: 'forest',
    implementation: 'onnx_runtime.OnnxRuntime',
    parameters: { uri: model, version: '1' },
  };
  writeFileSync(join(folder, 'settings.json'), JSON.stringify(settings));
  writeFileSync(join(folder, 'model-settings.json'), JSON.stringify(modelSettings));
  const running = start({
    command: join(dirname(python), 'mlserver'),
    args: ['start', folder],
    core,
    env: { PYTHONPATH: join(ROOT, 'bench', 'rig') },
  });
  await answers(`http://127.0.0.1:${port}/v2/models/forest/ready`);
  const inferUrl = `http://127.0.0.1:${port}/v2/models/forest/infer`;
  return { ...running, inferUrl, settings: IN_ITS_FAVOUR };
}
