import { AppError } from '../../base/errors.ts';
import type { LineageEdge, LineageNode, Links } from '../../platform/capability.ts';
import { parseFilter } from '../../formats/mlflow/filter.ts';
import { RUNS } from '../../formats/mlflow/search-specs.ts';
import type { RunPins } from './contract.ts';
import { parsePins } from './pins.ts';
import type { TrackingService } from './service.ts';

/** `late_train@3`, `main.landings@118` */
const NUMBERED = /^([\w.-]+)@([1-9]\d{0,8}|0)$/;
const HASH = /^[0-9a-f]{8,64}$/;

/** Runs, what they pinned and the versions that were registered from them. */
export class TrackingLinks implements Links {
  readonly #tracking: Pick<TrackingService, 'runs' | 'versionsOf'>;

  constructor(tracking: Pick<TrackingService, 'runs' | 'versionsOf'>) {
    this.#tracking = tracking;
  }

  async linksOf(node: LineageNode, limit: number): Promise<readonly LineageEdge[]> {
    const [, name, number] = NUMBERED.exec(node.id) ?? [];
    switch (node.kind) {
      case 'run':
        return this.#ofRun(node);
      case 'definition':
        if (!HASH.test(node.id)) return [];
        return this.#runsThat(node, { tag: 'definition', like: node.id, limit });
      case 'training_set': {
        if (name === undefined) return [];
        const like = `${name}@%${number}`;
        return this.#runsThat(node, { tag: 'training_set', like, limit });
      }
      case 'table': {
        if (name === undefined) return [];
        const like = `%"${name}"%${number}%`;
        return this.#runsThat(node, { tag: 'tables', like, limit });
      }
      default:
        return [];
    }
  }

  async #ofRun(node: LineageNode): Promise<readonly LineageEdge[]> {
    const run = await orNone(this.#tracking.runs.get(node.id));
    if (run === null) return [];
    const versions = await this.#tracking.versionsOf(run.id);
    return [
      ...versions.map(({ model, version }) =>
        edge(at('model', `${model}@${version}`), 'made by', node),
      ),
      ...pinned(node, parsePins(run.tags)),
    ];
  }

  /** Runs whose pin may be the node's; what a wildcard let in besides is taken out again. */
  async #runsThat(
    node: LineageNode,
    search: { readonly tag: string; readonly like: string; readonly limit: number },
  ): Promise<readonly LineageEdge[]> {
    const { tag, like, limit } = search;
    const { runs } = await this.#tracking.runs.page({
      experiments: null,
      view: 'ACTIVE_ONLY',
      clauses: parseFilter(`tags.\`millwright.${tag}\` LIKE '${like}'`, RUNS),
      orders: [],
      from: { segment: 0, offset: 0 },
      limit,
    });
    return runs
      .flatMap((run) => pinned(at('run', run.id), parsePins(run.tags)))
      .filter(({ to }) => to.kind === node.kind && to.id === node.id);
  }
}

function pinned(run: LineageNode, pins: RunPins | null): readonly LineageEdge[] {
  if (pins === null) return [];
  const { trainingSet, definition, tables } = pins;
  return [
    ...(trainingSet === null
      ? []
      : [
          edge(run, 'trained on', at('training_set', `${trainingSet.name}@${trainingSet.version}`)),
        ]),
    ...(definition === null ? [] : [edge(run, 'given features by', at('definition', definition))]),
    ...tables.map(({ table, version }) => edge(run, 'read', at('table', `${table}@${version}`))),
  ];
}

async function orNone<T>(found: Promise<T>): Promise<T | null> {
  try {
    return await found;
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.status < 500) return null;
    throw thrown;
  }
}

function at(kind: string, id: string): LineageNode {
  return { kind, id };
}

function edge(from: LineageNode, relation: string, to: LineageNode): LineageEdge {
  return { from, to, relation };
}
