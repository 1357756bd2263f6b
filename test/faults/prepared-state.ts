import { HttpClient } from './http-client.ts';
import { startServer } from './server-process.ts';
import { versionModel, type VersionModelOptions } from '../onnx-model.ts';

export const ENDPOINT = 'late';
export const MODEL = 'late-model';

export async function registerVersion(
  client: HttpClient,
  options: VersionModelOptions,
  model = MODEL,
): Promise<number> {
  const answer = await client.call({
    method: 'POST',
    path: `/api/v1/models/${model}/versions`,
    headers: { 'content-type': 'application/octet-stream' },
    body: versionModel(options),
  });
  if (answer.status !== 201) throw new Error(`register: ${answer.status} ${answer.body}`);
  return (JSON.parse(answer.body) as { version: number }).version;
}

/** Registers versions 1 to `versions` of the model and serves the first one at the endpoint. */
export async function prepareEndpoint(
  client: HttpClient,
  options: { readonly versions: number; readonly paddingFloats?: number },
): Promise<void> {
  const { versions, paddingFloats = 0 } = options;
  for (let version = 1; version <= versions; version += 1) {
    await registerVersion(client, { version, paddingFloats });
  }
  await client.json('PUT', `/api/v1/endpoints/${ENDPOINT}`, { model: MODEL, key: 'flight' });
  await client.json('POST', `/api/v1/endpoints/${ENDPOINT}/deploy`, { version: 1 });
}

/** A state folder with such an endpoint, made once and copied for each run. */
export async function prepareState(state: string, versions: number): Promise<void> {
  const server = await startServer({ state });
  const client = new HttpClient(server.url);
  await prepareEndpoint(client, { versions });
  client.close();
  await server.stop();
}
