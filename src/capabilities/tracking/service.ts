import type { Ids } from '../../base/ids.ts';
import type { Clock } from '../../base/time.ts';
import type { Blobs } from '../../platform/blobs/port.ts';
import type { Db } from '../../platform/db/port.ts';
import type { Events } from '../../platform/events/port.ts';
import { Artifacts } from './artifacts.ts';
import { ArtifactsStore } from './artifacts-store.ts';
import type { RegisteredVersion, RunOrigin } from './contract.ts';
import { Experiments } from './experiments.ts';
import { ExperimentsStore } from './experiments-store.ts';
import { ModelFiles } from './model-files.ts';
import { LoggedModels } from './logged-models.ts';
import { LoggedModelsStore } from './logged-models-store.ts';
import { Logging } from './logging.ts';
import { MetricsStore } from './metrics-store.ts';
import { parsePins } from './pins.ts';
import { RunValuesStore } from './run-values-store.ts';
import { Runs } from './runs.ts';
import { RunsStore } from './runs-store.ts';
import { SearchStore } from './search-store.ts';

export interface TrackingDeps {
  readonly db: Db;
  readonly blobs: Blobs;
  readonly events: Events;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Versions registered from a run; the registry knows, and tracking may not ask it by itself. */
  readonly versionsOf: (runId: string) => Promise<readonly RegisteredVersion[]>;
}

/** Tracking: experiments, their runs, what runs log, their files, and the models they make. */
export class TrackingService {
  readonly experiments: Experiments;
  readonly runs: Runs;
  readonly logging: Logging;
  readonly artifacts: Artifacts;
  readonly loggedModels: LoggedModels;
  readonly modelFiles: ModelFiles;
  readonly versionsOf: TrackingDeps['versionsOf'];

  constructor(deps: TrackingDeps) {
    const { db, blobs, events, clock, ids } = deps;
    const runsStore = new RunsStore(db);
    this.versionsOf = deps.versionsOf;
    this.experiments = new Experiments({ store: new ExperimentsStore(db), clock });
    this.runs = new Runs({
      store: runsStore,
      values: new RunValuesStore(db),
      search: new SearchStore(db),
      experiments: this.experiments,
      events,
      clock,
      ids,
    });
    this.logging = new Logging({ runs: this.runs, runsStore, store: new MetricsStore(db) });
    this.artifacts = new Artifacts({ store: new ArtifactsStore(db), blobs, clock });
    this.loggedModels = new LoggedModels({
      store: new LoggedModelsStore(db),
      experiments: this.experiments,
      clock,
      ids,
    });
    const { runs, artifacts, loggedModels } = this;
    this.modelFiles = new ModelFiles({ runs, artifacts, loggedModels });
  }

  /** The run's tags and what they pin; rejects with `RUN_NOT_FOUND`. */
  async origin(runId: string): Promise<RunOrigin> {
    const { tags } = await this.runs.get(runId);
    return {
      runId,
      tags: tags.map(({ key, value }) => ({ key, value })),
      pins: parsePins(tags),
    };
  }
}
