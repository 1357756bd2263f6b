import type { Fact, FactQuestion, Facts } from '../../platform/capability.ts';
import type { Events } from '../../platform/events/port.ts';
import type { TrackingService } from '../tracking/service.ts';
import type { LabelledVersion, RegistryStore } from './store.ts';

/** Versions that are told of, the newest ones. */
const VERSIONS = 200;
/** Of so many the list of packages is looked for: what answers is among them. */
const LISTED = 20;
/** A description is read by people; what a check looks for stands in its beginning. */
const DESCRIPTION_CHARACTERS = 5000;
const PACKAGE_FILES = ['requirements.txt', 'conda.yaml', 'python_env.yaml'];

/** Versions of models. */
export class RegistryFacts implements Facts {
  readonly #deps: {
    readonly store: RegistryStore;
    readonly artifacts: Pick<TrackingService['artifacts'], 'filesBelow'>;
    readonly events: Pick<Events, 'list'>;
  };

  constructor(deps: {
    readonly store: RegistryStore;
    readonly artifacts: Pick<TrackingService['artifacts'], 'filesBelow'>;
    readonly events: Pick<Events, 'list'>;
  }) {
    this.#deps = deps;
  }

  async factsOf({ model, since }: FactQuestion): Promise<readonly Fact[]> {
    const { store, events } = this.#deps;
    const versions = await store.listVersions(model, { before: null, limit: VERSIONS });
    const told = await events.list({ subject: `model/${model}`, limit: 2 * VERSIONS });
    const times = new Map(
      told
        .filter(({ kind }) => kind === 'model.registered')
        .map(({ data, now, wall }) => [Number(data['version']), { at: now, wall }]),
    );
    return await Promise.all(
      versions.map(async (version, index) => {
        const { id, digest, description } = version;
        // One that was registered before events were kept is older than everything that counts.
        const time = times.get(version.version) ?? { at: since, wall: version.created_at };
        return {
          kind: 'version',
          subject: `${model}@${version.version}`,
          ...time,
          data: {
            id,
            version: version.version,
            digest,
            sizeBytes: version.size_bytes,
            runId: version.run_id,
            description: description.slice(0, DESCRIPTION_CHARACTERS),
            packages: index < LISTED ? await this.#packages(version) : [],
          },
        };
      }),
    );
  }

  /** Files of its folder that list packages. */
  async #packages({ artifacts }: LabelledVersion): Promise<readonly string[]> {
    if (artifacts === null) return [];
    const files = await this.#deps.artifacts.filesBelow(artifacts);
    return files.map(({ path }) => path).filter((path) => PACKAGE_FILES.includes(path));
  }
}
