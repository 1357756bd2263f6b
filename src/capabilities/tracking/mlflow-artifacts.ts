import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Readable } from 'node:stream';
import { z } from 'zod';
import { AppError } from '../../base/errors.ts';
import { readArtifactPath, readUrlPath } from '../../formats/mlflow/artifact-path.ts';
import { Text } from '../../formats/mlflow/scalars.ts';
import { artifactPathOf } from '../../formats/mlflow/uri.ts';
import type { Log } from '../../platform/log/log.ts';
import { mlflowCall, mlflowErrors, type MlflowCall } from '../../platform/http/mlflow-scope.ts';
import { ARTIFACT_FILES_MAX, RunId } from './contract.ts';
import { AboutRun, runOf } from './mlflow-runs.ts';
import { list } from './mlflow-wire.ts';
import type { ArtifactsRow } from './rows.ts';
import type { TrackingService } from './service.ts';

const PROXY = '2.0/mlflow-artifacts';

/** Lists and metadata, as JSON messages. */
export function artifactCalls(service: TrackingService): readonly MlflowCall[] {
  const { runs, artifacts } = service;
  const at = z.object({ path: Text.default('') });
  const files = async (folder: string): Promise<readonly ArtifactsRow[]> =>
    artifacts.list(folder, { after: null, limit: ARTIFACT_FILES_MAX });
  return [
    mlflowCall('GET', `${PROXY}/artifacts`, at, async ({ path }) => {
      const found = await files(readArtifactPath(path.replace(/^\/+/, '')));
      return list(
        'files',
        found.map((row) => writeFileInfo(row.name, row)),
      );
    }),
    mlflowCall('GET', '2.0/mlflow/artifacts/list', AboutRun.extend(at.shape), async (message) => {
      const { artifact_uri: uri } = await runs.get(runOf(message));
      const root = ownPath(uri);
      const below = readArtifactPath(message.path);
      const found = await files(below === '' ? root : `${root}/${below}`);
      const prefix = below === '' ? '' : `${below}/`;
      const infos = found.map((row) => writeFileInfo(`${prefix}${row.name}`, row));
      return { root_uri: uri, ...list('files', infos) };
    }),
    // Clients that asked for parts go on with one upload when they read this.
    mlflowCall('POST', `${PROXY}/mpu/:step/*`, z.object({}), () =>
      Promise.reject(
        new AppError(
          'NOT_SUPPORTED',
          'Multipart upload is not supported for the current artifact repository',
        ),
      ),
    ),
    mlflowCall('GET', `${PROXY}/presigned/*`, z.object({}), () =>
      Promise.reject(
        new AppError('NOT_SUPPORTED', 'Presigned downloads are not supported: read the artifact.'),
      ),
    ),
    mlflowCall('GET', '3.0/mlflow/server-info', z.object({}), () =>
      Promise.resolve({
        store_type: 'SqlStore',
        workspaces_enabled: false,
        trace_archival_enabled: false,
        multipart_uploads_enabled: false,
        multipart_downloads_enabled: false,
      }),
    ),
  ];
}

/** Bytes up and down, without a copy on the way. */
export function serveArtifacts(http: FastifyInstance, service: TrackingService, log: Log): void {
  const { artifacts } = service;
  mlflowErrors(http, log);
  http.removeAllContentTypeParsers();
  http.addContentTypeParser('*', (_request, payload, parsed) => parsed(null, payload));
  for (const prefix of ['/api/', '/ajax-api/']) {
    const start = `${prefix}${PROXY}/artifacts/`;
    http.put(`${start}*`, async (request, reply) => {
      const bytes = (request.body ?? new Uint8Array()) as Readable | Uint8Array;
      await artifacts.put(pathAfter(start, request), bytes);
      return reply.header('content-type', 'application/json').send('{}');
    });
    http.get(`${start}*`, async (request, reply) =>
      send(service, pathAfter(start, request), reply),
    );
    http.delete(`${start}*`, async (request, reply) => {
      await artifacts.delete(pathAfter(start, request));
      return reply.header('content-type', 'application/json').send('{}');
    });
  }
}

/** A file of a run, for the pages; bytes, so no route of the native API. */
export function serveRunArtifact(http: FastifyInstance, service: TrackingService): void {
  http.get('/api/v1/runs/:run/artifact', async (request, reply) => {
    const run = RunId.safeParse((request.params as { run: string }).run);
    if (!run.success) throw new AppError('INVALID_INPUT', 'path.run: run_ and 32 hex digits');
    const { path } = request.query as { path?: unknown };
    if (typeof path !== 'string') throw new AppError('INVALID_INPUT', 'query.path is missing.');
    const root = ownPath((await service.runs.get(run.data)).artifact_uri);
    return send(service, `${root}/${readArtifactPath(path)}`, reply);
  });
}

/** The place of a run's files below the artifact root; foreign stores are never opened. */
export function ownPath(uri: string): string {
  const path = artifactPathOf(uri);
  if (path !== null) return path;
  throw new AppError('INVALID_INPUT', `The artifacts are at ${uri}, which only clients reach.`);
}

/** Never shown in place: an artifact may be a page with a script in it. */
async function send(
  { artifacts }: TrackingService,
  path: string,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { sizeBytes, content } = await artifacts.open(path);
  const name = path.split('/').at(-1) ?? 'artifact';
  return reply
    .headers({
      'content-type': 'application/octet-stream',
      'content-length': sizeBytes,
      'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent(name)}`,
      'content-security-policy': "sandbox; default-src 'none'",
    })
    .send(content);
}

/** From the request line itself: the router decodes before it is known what is dangerous. */
function pathAfter(start: string, request: FastifyRequest): string {
  const [line = ''] = request.raw.url?.split('?') ?? [];
  return readUrlPath(line.slice(start.length));
}

function writeFileInfo(path: string, row: ArtifactsRow): object {
  return row.digest === null
    ? { path, is_dir: true }
    : { path, is_dir: false, file_size: row.size_bytes };
}
