import { createReadStream } from 'node:fs';
import type { FastifyInstance } from 'fastify';
import { AppError } from '../../base/errors.ts';
import { mount, type MountedRoute } from '../../platform/http/mount.ts';
import {
  buildTrainingSet,
  getService,
  getTrainingFile,
  getTrainingSet,
  getTrainingVersion,
  getView,
  listServices,
  listTrainingSets,
  listTrainingVersions,
  listViews,
  PARQUET_PATH,
} from './contract.ts';
import type { FeaturesService } from './service.ts';

export function featuresRoutes(service: FeaturesService): readonly MountedRoute[] {
  return [
    mount(listServices, ({ query }) => service.services(query)),
    mount(getService, ({ params }) => service.service(params.service)),
    mount(listViews, ({ query }) => service.views(query)),
    mount(getView, ({ params }) => service.view(params.view)),
    mount(listTrainingSets, ({ query }) => service.trainingSets(query)),
    mount(getTrainingSet, ({ params }) => service.trainingSet(params.name)),
    mount(buildTrainingSet, ({ params, body }, { actor }) =>
      service.build(params.name, body, actor),
    ),
    mount(listTrainingVersions, ({ params, query }) => service.versions(params.name, query)),
    mount(getTrainingVersion, ({ params }) => service.version(params.name, params.version)),
    mount(getTrainingFile, async ({ params }) => ({
      location: await service.versionFile(params.name, params.version),
    })),
  ];
}

/** The rows of a version as one Parquet file; bytes, so no route of the native API. */
export function serveTrainingSets(http: FastifyInstance, service: FeaturesService): void {
  http.get(PARQUET_PATH, async (request, reply) => {
    const params = getTrainingVersion.params!.safeParse(request.params);
    if (!params.success) throw new AppError('INVALID_INPUT', 'The path names no training set.');
    const { name, version } = params.data;
    const file = await service.versionFile(name, version);
    reply.header('content-disposition', `attachment; filename="${name}-v${version}.parquet"`);
    return reply.type('application/vnd.apache.parquet').send(createReadStream(file));
  });
}
