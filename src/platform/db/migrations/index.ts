import type { Migration } from '../migrator.ts';
import { platform } from './0001-platform.ts';
import { tables } from './0002-tables.ts';
import { registry } from './0003-registry.ts';
import { serving } from './0004-serving.ts';
import { tracking } from './0005-tracking.ts';
import { pipelines } from './0006-pipelines.ts';
import { features } from './0007-features.ts';
import { servingFeatures } from './0008-serving-features.ts';
import { labels } from './0009-labels.ts';
import { monitoring } from './0010-monitoring.ts';
import { loop } from './0011-loop.ts';
import { maturity } from './0012-maturity.ts';
import { pipelineContext } from './0013-pipeline-context.ts';
import { exclusions } from './0014-exclusions.ts';
import { servingDrills } from './0015-serving-drills.ts';
import { auth } from './0016-auth.ts';

/** Every migration, in the order they apply. A published one is never edited. */
export const migrations: readonly Migration[] = [
  platform,
  tables,
  registry,
  serving,
  tracking,
  pipelines,
  features,
  servingFeatures,
  labels,
  monitoring,
  loop,
  maturity,
  pipelineContext,
  exclusions,
  servingDrills,
  auth,
];
