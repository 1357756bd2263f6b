import { z } from 'zod';
import { InstantText } from '../../base/instant.ts';
import { PageQuery, pageOf } from '../../base/page.ts';
import { route } from '../../base/route.ts';

/** Keys of an entity whose zones become part of a definition. */
export const ZONES_MAX = 100_000;

const Name = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,62}$/, 'lowercase letters, digits and _, starting with a letter');

export const FeatureDescription = z.object({
  name: z.string(),
  kind: z.enum(['window', 'request']),
  /** Of a window: `origin_delays`, `late`, `7d`. */
  view: z.string().nullable(),
  aggregate: z.string().nullable(),
  window: z.string().nullable(),
});
export type FeatureDescription = z.infer<typeof FeatureDescription>;

/** A definition that is applied: by its name it is this one now, by its hash for ever. */
export const Applied = z.object({
  name: z.string(),
  hash: z.string(),
  appliedAt: z.string(),
  appliedBy: z.string(),
});

export const View = Applied.extend({
  source: z.string(),
  /** `<namespace>.<table>` of its events. */
  table: z.string(),
  keys: z.array(z.object({ name: z.string(), type: z.enum(['string', 'long']) })),
  windows: z.array(z.string()),
  features: z.array(z.object({ name: z.string(), function: z.string() })),
  /** As `millwright.yaml` has it. */
  declared: z.record(z.string(), z.unknown()),
});
export type View = z.infer<typeof View>;

export const Service = Applied.extend({
  views: z.array(z.object({ name: z.string(), hash: z.string() })),
  inputs: z.array(
    z.object({
      name: z.string(),
      type: z.enum(['string', 'long', 'double', 'boolean']),
      role: z.enum(['key', 'request']),
    }),
  ),
  /** In the order of the vector. */
  features: z.array(FeatureDescription),
  declared: z.record(z.string(), z.unknown()),
});
export type Service = z.infer<typeof Service>;

export const FeatureProfile = z.object({
  name: z.string(),
  /** Values that are not null. */
  count: z.number().int(),
  nulls: z.number().int(),
  min: z.number().nullable(),
  max: z.number().nullable(),
  mean: z.number().nullable(),
  /** Bin `i` holds what is at least edge `i - 1` and below edge `i`; the outer bins are open. */
  histogram: z.object({ edges: z.array(z.number()), counts: z.array(z.number().int()) }),
});
export type FeatureProfile = z.infer<typeof FeatureProfile>;

/** Rows of the range that are not in the training set, by reason. */
export const LeftOut = z.object({
  unfinishedWindow: z.number().int(),
  immatureLabel: z.number().int(),
  missingLabel: z.number().int(),
  /** T lies in an exclusion. */
  excluded: z.number().int().default(0),
});
export type LeftOut = z.infer<typeof LeftOut>;

export const TrainingVersion = z.object({
  name: z.string(),
  version: z.number().int(),
  /** The version of `training_sets.<name>` that holds these rows and no others. */
  tableVersion: z.number().int(),
  service: z.string(),
  /** Of the service: what a model trained on these rows has to be served with. */
  definitionHash: z.string(),
  /** Rows have T in this half-open range. */
  range: z.object({ from: z.string(), until: z.string() }),
  rows: z.number().int(),
  leftOut: LeftOut,
  /** The version of each table that was read. */
  sources: z.array(z.object({ table: z.string(), version: z.number().int() })),
  features: z.array(z.string()),
  /** The label's name; its column is `label`. */
  label: z.string(),
  /** Mean of the label. */
  labelRate: z.number(),
  profile: z.array(FeatureProfile),
  createdNow: z.string(),
  createdWall: z.string(),
  createdBy: z.string(),
});
export type TrainingVersion = z.infer<typeof TrainingVersion>;

export const TrainingVersionItem = TrainingVersion.omit({ profile: true, features: true });

export const TrainingSet = Applied.extend({
  service: z.string(),
  latestVersion: z.number().int().nullable(),
});
export type TrainingSet = z.infer<typeof TrainingSet>;

export const BuildReply = TrainingVersion.extend({
  /** True when this very build had been made before: nothing was built now. */
  reused: z.boolean(),
});

const ServiceParams = z.object({ service: Name });
const SetParams = z.object({ name: Name });
const VersionParams = SetParams.extend({ version: z.coerce.number().int().min(1) });

export const listServices = route({
  id: 'features.services',
  method: 'GET',
  path: '/api/v1/features/services',
  summary: 'List feature services',
  query: PageQuery,
  reply: pageOf(Service),
});

export const getService = route({
  id: 'features.service',
  method: 'GET',
  path: '/api/v1/features/services/:service',
  summary: 'Describe a feature service: its inputs and features, compiled',
  params: ServiceParams,
  reply: Service,
});

export const listViews = route({
  id: 'features.views',
  method: 'GET',
  path: '/api/v1/features/views',
  summary: 'List feature views',
  query: PageQuery,
  reply: pageOf(View),
});

export const getView = route({
  id: 'features.view',
  method: 'GET',
  path: '/api/v1/features/views/:view',
  summary: 'Describe a feature view',
  params: z.object({ view: Name }),
  reply: View,
});

export const listTrainingSets = route({
  id: 'training-sets.list',
  method: 'GET',
  path: '/api/v1/training-sets',
  summary: 'List declared training sets',
  query: PageQuery,
  reply: pageOf(TrainingSet),
});

export const getTrainingSet = route({
  id: 'training-sets.get',
  method: 'GET',
  path: '/api/v1/training-sets/:name',
  summary: 'Describe a declared training set',
  params: SetParams,
  reply: TrainingSet,
});

export const buildTrainingSet = route({
  id: 'training-sets.build',
  method: 'POST',
  path: '/api/v1/training-sets/:name/build',
  summary: 'Build a training set; the same definition, sources and range give the same version',
  params: SetParams,
  /** Default: the declared range. */
  body: z.strictObject({ from: InstantText.optional(), until: InstantText.optional() }),
  reply: BuildReply,
});

export const listTrainingVersions = route({
  id: 'training-sets.versions',
  method: 'GET',
  path: '/api/v1/training-sets/:name/versions',
  summary: 'Versions of a training set, newest first',
  params: SetParams,
  query: PageQuery,
  reply: pageOf(TrainingVersionItem),
});

export const getTrainingVersion = route({
  id: 'training-sets.version',
  method: 'GET',
  path: '/api/v1/training-sets/:name/versions/:version',
  summary: 'Describe a version of a training set, with its profile',
  params: VersionParams,
  reply: TrainingVersion,
});

export const getTrainingFile = route({
  id: 'training-sets.file',
  method: 'GET',
  path: '/api/v1/training-sets/:name/versions/:version/file',
  summary: 'Where the Parquet file of a version lies, for programs on this machine',
  params: VersionParams,
  reply: z.object({ location: z.string() }),
});

/** Answers the bytes of one Parquet file: row_id, T, the features, label. */
export const PARQUET_PATH = '/api/v1/training-sets/:name/versions/:version/parquet';

/** A pin file: what a pipeline's stage depends on, the same bytes for the same version. */
export function pinOf(version: TrainingVersion): string {
  const { name, tableVersion, sources, definitionHash, range, rows, features, label } = version;
  const pin = {
    millwright_pin: 1,
    training_set: { name, version: version.version },
    table: { name: `training_sets.${name}`, version: tableVersion },
    sources: sources.map((source) => ({ table: source.table, version: source.version })),
    definition_hash: definitionHash,
    range: { from: range.from, until: range.until },
    rows,
    features,
    label,
  };
  return `${JSON.stringify(pin, null, 2)}\n`;
}

export {
  getFeatures,
  getWatermarks,
  rebuildFeatures,
  verifyService,
  type FeatureVectorReply,
  type FeatureWatermark,
  type VerifyReport,
} from './online-contract.ts';
