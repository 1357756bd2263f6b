import { AppError } from '../../base/errors.ts';
import type { LineageEdge, LineageNode, Links } from '../../platform/capability.ts';
import type { PredictionsService } from '../predictions/service.ts';
import type { RouteRevision } from './contract.ts';
import type { ServingStore } from './store.ts';
import type { VersionOrigins } from './version-origin.ts';

export interface ServingLinksDeps {
  readonly store: ServingStore;
  readonly predictions: Pick<PredictionsService, 'find'>;
  readonly origins: VersionOrigins;
}

/** `late@12` */
const NUMBERED = /^(.+)@([1-9]\d{0,14})$/;

/** Requests, endpoints, routes and the versions they lead to. */
export class ServingLinks implements Links {
  readonly #deps: ServingLinksDeps;

  constructor(deps: ServingLinksDeps) {
    this.#deps = deps;
  }

  async linksOf(node: LineageNode, limit: number): Promise<readonly LineageEdge[]> {
    const { store } = this.#deps;
    switch (node.kind) {
      case 'request':
        return this.#ofRequest(node);
      case 'endpoint':
        return this.#ofEndpoint(node);
      case 'revision':
        return this.#ofRevision(node);
      case 'model':
        return this.#ofModel(node, limit);
      case 'definition': {
        const revisions = await store.revisionsOfDefinition(node.id, limit);
        return revisions.map((revision) => edge(nodeOf(revision), 'joins', node));
      }
      case 'service': {
        const endpoints = await store.endpointsOfService(node.id, limit);
        return endpoints.map(({ name }) => edge(at('endpoint', name), 'declares', node));
      }
      default:
        return [];
    }
  }

  async #ofRequest(node: LineageNode): Promise<readonly LineageEdge[]> {
    try {
      const { predictions } = this.#deps;
      const { endpoint, routeRevision, model, modelVersion } = await predictions.find(node.id);
      return [
        edge(node, 'routed by', at('revision', `${endpoint}@${routeRevision}`)),
        edge(node, 'answered by', at('model', `${model}@${modelVersion}`)),
      ];
    } catch (thrown) {
      if (thrown instanceof AppError && thrown.code === 'REQUEST_NOT_FOUND') return [];
      throw thrown;
    }
  }

  async #ofEndpoint(node: LineageNode): Promise<readonly LineageEdge[]> {
    const found = await this.#deps.store.findEndpoint(node.id);
    if (found === null) return [];
    const { currentRevision, service } = found;
    return [
      ...(currentRevision === 0
        ? []
        : [edge(node, 'follows', at('revision', `${node.id}@${currentRevision}`))]),
      ...(service === null ? [] : [edge(node, 'declares', at('service', service))]),
    ];
  }

  async #ofRevision(node: LineageNode): Promise<readonly LineageEdge[]> {
    const { store } = this.#deps;
    const [name, number] = numbered(node.id);
    const revision = await store.findRevision(name, number);
    if (revision === null) return [];
    const endpoint = await store.findEndpoint(name);
    const { features, arms } = revision;
    const isCurrent = endpoint?.currentRevision === number;
    return [
      ...arms.map((arm) => edge(node, 'routes to', at('model', `${arm.model}@${arm.version}`))),
      ...(features === null ? [] : [edge(node, 'joins', at('definition', features.definition))]),
      ...(isCurrent ? [edge(at('endpoint', name), 'follows', node)] : []),
    ];
  }

  async #ofModel(node: LineageNode, limit: number): Promise<readonly LineageEdge[]> {
    const { store, origins } = this.#deps;
    const [model, version] = numbered(node.id);
    if (version === 0) return [];
    const revisions = await store.revisionsOfVersion({ model, version }, limit);
    const routed = revisions.map((revision) => edge(nodeOf(revision), 'routes to', node));
    const origin = await origins.originOf(model, version).catch(unlessUnknown);
    return origin === null ? routed : [...routed, edge(node, 'made by', at('run', origin.run))];
  }
}

function unlessUnknown(thrown: unknown): null {
  const code = thrown instanceof AppError ? thrown.code : null;
  if (code === 'MODEL_NOT_FOUND' || code === 'MODEL_VERSION_NOT_FOUND') return null;
  throw thrown;
}

function numbered(id: string): readonly [name: string, number: number] {
  const [, name, number] = NUMBERED.exec(id) ?? [];
  return name === undefined ? [id, 0] : [name, Number(number)];
}

function nodeOf({ endpoint, revision }: RouteRevision): LineageNode {
  return at('revision', `${endpoint}@${revision}`);
}

function at(kind: string, id: string): LineageNode {
  return { kind, id };
}

function edge(from: LineageNode, relation: string, to: LineageNode): LineageEdge {
  return { from, to, relation };
}
