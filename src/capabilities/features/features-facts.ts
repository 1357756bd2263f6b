import { present } from '../../base/assert.ts';
import { parseInstant, type Micros } from '../../base/time.ts';
import type { Fact, Facts } from '../../platform/capability.ts';
import type { FeaturesStore } from './store.ts';

/** Training sets that are told of, and the newest versions of each. */
const SETS = 20;
const VERSIONS = 20;

/** Training sets that were built. */
export class FeaturesFacts implements Facts {
  readonly #store: Pick<FeaturesStore, 'list' | 'versions'>;

  constructor(store: Pick<FeaturesStore, 'list' | 'versions'>) {
    this.#store = store;
  }

  async factsOf(): Promise<readonly Fact[]> {
    const page = { after: null, limit: SETS };
    const sets = await this.#store.list('training_set', page);
    const built = await Promise.all(
      sets.map(({ name }) => this.#store.versions(name, { before: null, limit: VERSIONS })),
    );
    return built.flat().map(({ name, version, rows, definitionHash, sources, ...times }) => ({
      kind: 'training_set',
      subject: `${name}@${version}`,
      at: instant(times.createdNow),
      wall: instant(times.createdWall),
      data: {
        rows,
        definition: definitionHash,
        sources: sources.map((source) => `${source.table}@${source.version}`),
      },
    }));
  }
}

function instant(text: string): Micros {
  return present(parseInstant(text), 'an instant that was written here');
}
