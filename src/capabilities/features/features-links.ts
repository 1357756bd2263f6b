import { AppError } from '../../base/errors.ts';
import { PAGE_LIMIT_MAX } from '../../base/page.ts';
import type { LineageEdge, LineageNode, Links } from '../../platform/capability.ts';
import type { TrainingVersion } from './contract.ts';
import type { FeaturesService } from './service.ts';

/** As `FeaturesService` has it. */
type Features = Pick<
  FeaturesService,
  'compiledDefinition' | 'service' | 'services' | 'trainingSets' | 'version' | 'versions' | 'views'
>;

const PAGE = { limit: PAGE_LIMIT_MAX };
/** Versions of one training set that are looked at: each carries its profile. */
const NEWEST = { limit: 50 };
/** `late_train@3` */
const NUMBERED = /^(.+)@([1-9]\d{0,14})$/;

/** Services, their definitions and views, and training sets with the table versions they read. */
export class FeaturesLinks implements Links {
  readonly #features: Features;

  constructor(features: Features) {
    this.#features = features;
  }

  async linksOf(node: LineageNode, limit: number): Promise<readonly LineageEdge[]> {
    switch (node.kind) {
      case 'service':
        return this.#ofService(node);
      case 'definition':
        return this.#ofDefinition(node, limit);
      case 'view':
        return this.#ofView(node);
      case 'training_set':
        return this.#ofTrainingSet(node);
      case 'table':
        return node.id.includes('@') ? this.#ofVersion(node, limit) : this.#ofTable(node);
      default:
        return [];
    }
  }

  async #ofService(node: LineageNode): Promise<readonly LineageEdge[]> {
    const found = await orNone(this.#features.service(node.id));
    return found === null ? [] : [edge(node, 'defined by', at('definition', found.hash))];
  }

  async #ofDefinition(node: LineageNode, limit: number): Promise<readonly LineageEdge[]> {
    const features = this.#features;
    const compiled = await features.compiledDefinition(node.id);
    if (compiled === null) return [];
    const current = await orNone(features.service(compiled.name));
    const sets = await this.#sets(({ definitionHash }) => definitionHash === node.id, limit);
    return [
      ...compiled.views.map(({ name }) => edge(node, 'made of', at('view', name))),
      ...(current?.hash === node.id
        ? [edge(at('service', compiled.name), 'defined by', node)]
        : []),
      ...sets.map((set) => edge(nodeOf(set), 'computed by', node)),
    ];
  }

  async #ofView(node: LineageNode): Promise<readonly LineageEdge[]> {
    const features = this.#features;
    const view = (await features.views(PAGE)).items.find(({ name }) => name === node.id);
    if (view === undefined) return [];
    const services = (await features.services(PAGE)).items.filter(({ views }) =>
      views.some(({ name }) => name === node.id),
    );
    return [
      edge(node, 'computed from', at('table', view.table)),
      ...services.map(({ hash }) => edge(at('definition', hash), 'made of', node)),
    ];
  }

  async #ofTrainingSet(node: LineageNode): Promise<readonly LineageEdge[]> {
    const [, name, number] = NUMBERED.exec(node.id) ?? [];
    if (name === undefined) return [];
    const found = await orNone(this.#features.version(name, Number(number)));
    if (found === null) return [];
    return [
      edge(node, 'computed by', at('definition', found.definitionHash)),
      ...found.sources.map(({ table, version }) =>
        edge(node, 'read', at('table', `${table}@${version}`)),
      ),
    ];
  }

  async #ofVersion(node: LineageNode, limit: number): Promise<readonly LineageEdge[]> {
    const sets = await this.#sets(
      ({ sources }) => sources.some(({ table, version }) => `${table}@${version}` === node.id),
      limit,
    );
    return sets.map((set) => edge(nodeOf(set), 'read', node));
  }

  async #ofTable(node: LineageNode): Promise<readonly LineageEdge[]> {
    const { items } = await this.#features.views(PAGE);
    return items
      .filter(({ table }) => table === node.id)
      .map(({ name }) => edge(at('view', name), 'computed from', node));
  }

  /** Versions of training sets that the test holds for; of each set the newest ones. */
  async #sets(
    test: (version: TrainingVersion) => boolean,
    limit: number,
  ): Promise<readonly TrainingVersion[]> {
    const features = this.#features;
    const found: TrainingVersion[] = [];
    for (const { name, latestVersion } of (await features.trainingSets(PAGE)).items) {
      if (latestVersion === null) continue;
      found.push(...(await features.versions(name, NEWEST)).items.filter(test));
    }
    return found.slice(0, limit);
  }
}

async function orNone<T>(found: Promise<T>): Promise<T | null> {
  try {
    return await found;
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.status === 404) return null;
    throw thrown;
  }
}

function nodeOf({ name, version }: TrainingVersion): LineageNode {
  return at('training_set', `${name}@${version}`);
}

function at(kind: string, id: string): LineageNode {
  return { kind, id };
}

function edge(from: LineageNode, relation: string, to: LineageNode): LineageEdge {
  return { from, to, relation };
}
