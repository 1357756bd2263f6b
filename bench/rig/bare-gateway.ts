import { fileURLToPath } from 'node:url';
import { answers, freePort, start, type Running } from './running.ts';

const ENTRY = fileURLToPath(new URL('./bare-gateway-process.ts', import.meta.url));

/** The gateway without journal, engine and control plane, serving one model as `forest`. */
export async function startBareGateway(options: {
  readonly model: string;
  readonly core: number;
}): Promise<Running & { readonly inferUrl: string }> {
  const port = await freePort();
  const running = start({
    command: process.execPath,
    args: [ENTRY, String(port), options.model],
    core: options.core,
  });
  const url = `http://127.0.0.1:${port}/v2`;
  await answers(`${url}/health/ready`);
  return { ...running, inferUrl: `${url}/models/forest/infer` };
}
