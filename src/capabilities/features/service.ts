import { decodeCursor, nextPage, type Page } from '../../base/cursor.ts';
import { AppError } from '../../base/errors.ts';
import type { PageQuery } from '../../base/page.ts';
import { formatInstant, micros, parseInstant, type Clock, type Micros } from '../../base/time.ts';
import type { Engine } from '../../platform/engine/port.ts';
import type { Events } from '../../platform/events/port.ts';
import type { TablesService } from '../tables/service.ts';
import type { CompiledService, CompiledTrainingSet, CompiledView } from './compiled.ts';
import type { Service, TrainingVersion, View } from './contract.ts';
import { hashOf } from './definition-hash.ts';
import { labelSources, type LabelSourceDefinition } from './label-sources.ts';
import type { Exclusions } from './exclusions.ts';
import {
  definitionNotFound,
  type FeaturesStore,
  type StoredDefinition,
  type StoredVersion,
} from './store.ts';
import type { FeaturesTasks } from './tasks.ts';
import type { TrainingSource } from './training-rows.ts';

export interface FeaturesDeps {
  readonly store: FeaturesStore;
  readonly tables: Pick<TablesService, 'get'>;
  readonly engine: Engine<FeaturesTasks>;
  readonly events: Pick<Events, 'step'>;
  readonly clock: Pick<Clock, 'now' | 'wall'>;
  readonly exclusions: Pick<Exclusions, 'spansOf'>;
}

/** Services in force at once, as the definitions allow. */
const SERVICES_MAX = 2000;

export interface BuildRange {
  readonly from?: string | undefined;
  readonly until?: string | undefined;
}

/** Feature definitions in force, and training sets built from them. */
export class FeaturesService {
  readonly #deps: FeaturesDeps;
  /** Builds of one training set run one after the other, so that equal ones find each other. */
  readonly #turns = new Map<string, Promise<unknown>>();
  #services: { readonly changes: number; readonly compiled: readonly CompiledService[] } | null =
    null;

  constructor(deps: FeaturesDeps) {
    this.#deps = deps;
  }

  /** What serving and training compute from; null for an unknown name. */
  async compiledService(name: string): Promise<CompiledService | null> {
    const found = await this.#deps.store.find<CompiledService>('service', name);
    return found?.body.compiled ?? null;
  }

  /** The definition with this hash, also when the name means another one by now. */
  async compiledByHash(name: string, hash: string): Promise<CompiledService | null> {
    const found = await this.#deps.store.findByHash<CompiledService>('service', name, hash);
    return found?.compiled ?? null;
  }

  /** Labels in force, each with the table it is read from. */
  async labelSources(): Promise<readonly LabelSourceDefinition[]> {
    return await labelSources(this.#deps.store);
  }

  /** All services in force; kept in memory, because every append to a table asks for them. */
  async compiledServices(): Promise<readonly CompiledService[]> {
    const { store } = this.#deps;
    const { changes } = store;
    if (this.#services?.changes === changes) return this.#services.compiled;
    const all = { after: null, limit: SERVICES_MAX };
    const found = await store.list<CompiledService>('service', all);
    const compiled = found.map(({ body }) => body.compiled);
    if (store.changes === changes) this.#services = { changes, compiled };
    return compiled;
  }

  /** The definition with this hash, whatever service had it. */
  async compiledDefinition(hash: string): Promise<CompiledService | null> {
    const found = await this.#deps.store.findAny<CompiledService>('service', hash);
    return found?.compiled ?? null;
  }

  /** Every definition that a service has had, the newest first. */
  async definitionsOf(name: string): Promise<readonly CompiledService[]> {
    const found = await this.#deps.store.definitionsOf<CompiledService>('service', name);
    return found.map(({ compiled }) => compiled);
  }

  /** What a version of a training set was made from, to find its rows again. */
  async trainingSource(name: string, version: number): Promise<TrainingSource> {
    const made = await this.version(name, version);
    const set = (await this.#find<CompiledTrainingSet>('training_set', name)).body.compiled;
    const service = await this.compiledByHash(made.service, made.definitionHash);
    const { namespace, name: table } = set.spine.table;
    const spine = made.sources.find((source) => source.table === `${namespace}.${table}`);
    if (service === null || spine === undefined) throw definitionNotFound('service', made.service);
    const { tableVersion } = made;
    return { set, service, tableVersion, spineVersion: spine.version };
  }

  async services(query: PageQuery): Promise<Page<Service>> {
    const found = await this.#page<CompiledService>('service', query);
    return { ...found, items: found.items.map(toService) };
  }

  async service(name: string): Promise<Service> {
    return toService(await this.#find<CompiledService>('service', name));
  }

  async views(query: PageQuery): Promise<Page<View>> {
    const found = await this.#page<CompiledView>('view', query);
    return { ...found, items: found.items.map(toView) };
  }

  async view(name: string): Promise<View> {
    return toView(await this.#find<CompiledView>('view', name));
  }

  async trainingSets(query: PageQuery) {
    const found = await this.#page<CompiledTrainingSet>('training_set', query);
    const items = [];
    for (const one of found.items) items.push(await this.#toTrainingSet(one));
    return { ...found, items };
  }

  async trainingSet(name: string) {
    return this.#toTrainingSet(await this.#find<CompiledTrainingSet>('training_set', name));
  }

  async versions(name: string, query: PageQuery): Promise<Page<TrainingVersion>> {
    const before = decodeCursor(query.cursor, 'number');
    const found = await this.#deps.store.versions(name, { before, limit: query.limit + 1 });
    if (found.length === 0 && before === null) await this.#find('training_set', name);
    return nextPage(found, query.limit, (last) => last.version);
  }

  async version(name: string, version: number): Promise<TrainingVersion> {
    const found = await this.#deps.store.findVersion(name, version);
    if (found !== null) return found;
    throw new AppError('TRAINING_SET_NOT_FOUND', `There is no training set ${name}@v${version}.`, {
      hint: `See its versions with: millwright features show ${name}`,
    });
  }

  /** The Parquet file of a version, absolute; it is never changed. */
  async versionFile(name: string, version: number): Promise<string> {
    const { tableVersion } = await this.version(name, version);
    return await this.#deps.engine.run('features.training-file', { name, tableVersion });
  }

  /**
   * Builds the declared or a given range of T. The same definition, source versions and range give
   * the version that is there, unless labels were immature then.
   */
  async build(
    name: string,
    range: BuildRange,
    actor: string,
  ): Promise<TrainingVersion & { readonly reused: boolean }> {
    const former = this.#turns.get(name) ?? Promise.resolve();
    const turn = former.then(() => this.#buildNow(name, range, actor));
    const settled = turn.catch(() => undefined);
    this.#turns.set(name, settled);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(name) === settled) this.#turns.delete(name);
    }
  }

  async #buildNow(name: string, range: BuildRange, actor: string) {
    const { store, engine, clock, events, exclusions } = this.#deps;
    const set = (await this.#find<CompiledTrainingSet>('training_set', name)).body.compiled;
    const found = await store.findByHash<CompiledService>('service', set.service, set.serviceHash);
    if (found === null) throw definitionNotFound('service', set.service);
    const service = found.compiled;
    const now = clock.now();
    const { from, until } = rangeOf(set, range, now);
    const { versions, sources } = await this.#pin(set, service);
    const excluded = await exclusions.spansOf(set.spine.name, { from, until });
    const identity = [set.hash, sources, from, until];
    const build = hashOf(excluded.length === 0 ? identity : [...identity, excluded]);
    const known = await store.findBuild(name, build, now);
    if (known !== null) return { ...known, reused: true };
    const task = {
      set,
      service,
      versions,
      from,
      until,
      excluded,
      now,
      build: hashOf([build, now]),
    };
    const { labelRate, ...outcome } = await engine.run('features.build', task);
    const [latest] = await store.versions(name, { before: null, limit: 1 });
    const wall = clock.wall();
    const version: TrainingVersion = {
      name,
      version: (latest?.version ?? 0) + 1,
      tableVersion: outcome.tableVersion,
      service: service.name,
      definitionHash: service.hash,
      range: { from: formatInstant(from), until: formatInstant(until) },
      rows: outcome.rows,
      leftOut: outcome.leftOut,
      sources: [...sources],
      features: service.features.map((feature) => feature.name),
      label: set.label.name,
      labelRate,
      profile: [...outcome.profile],
      createdNow: formatInstant(now),
      createdWall: formatInstant(wall),
      createdBy: actor,
    };
    const data = { version: version.version, rows: version.rows, definition: service.hash };
    const subject = `training-set/${name}`;
    const event = events.step({ actor, kind: 'training-set.built', subject, data });
    const stored: StoredVersion = { build, isSettled: isSettled(set, version, now), version };
    await store.insertVersion(stored, { now, wall, events: [event] });
    return { ...version, reused: false };
  }

  /** One version of each table for the whole build. */
  async #pin(set: CompiledTrainingSet, service: CompiledService) {
    const { tables } = this.#deps;
    const all = [set.spine, set.label.source, ...service.views.map(({ source }) => source)];
    const pinned = new Map<string, number>();
    const versions: Record<string, number> = {};
    for (const { name, table } of all) {
      const text = `${table.namespace}.${table.name}`;
      const version = pinned.get(text) ?? (await tables.get(table, undefined)).version;
      pinned.set(text, version);
      versions[name] = version;
    }
    const sources = [...pinned]
      .map(([table, version]) => ({ table, version }))
      .sort((a, b) => (a.table < b.table ? -1 : 1));
    return { versions, sources };
  }

  async #toTrainingSet(found: StoredDefinition<CompiledTrainingSet>) {
    const [latest] = await this.#deps.store.versions(found.name, { before: null, limit: 1 });
    const { service } = found.body.compiled;
    return { ...applied(found), service, latestVersion: latest?.version ?? null };
  }

  async #find<Compiled>(kind: 'view' | 'service' | 'training_set', name: string) {
    const found = await this.#deps.store.find<Compiled>(kind, name);
    if (found === null) throw definitionNotFound(kind, name);
    return found;
  }

  async #page<Compiled>(kind: 'view' | 'service' | 'training_set', query: PageQuery) {
    const after = decodeCursor(query.cursor, 'string');
    const found = await this.#deps.store.list<Compiled>(kind, { after, limit: query.limit + 1 });
    return nextPage(found, query.limit, (last) => last.name);
  }
}

/** Whether the same build at a later time could come out otherwise: by labels still to mature. */
function isSettled(set: CompiledTrainingSet, version: TrainingVersion, now: Micros): boolean {
  const until = parseInstant(version.range.until)!;
  return (
    until + set.label.mature <= now &&
    version.leftOut.missingLabel === 0 &&
    version.leftOut.immatureLabel === 0
  );
}

function rangeOf(
  set: CompiledTrainingSet,
  range: BuildRange,
  now: Micros,
): { readonly from: Micros; readonly until: Micros } {
  const given = (text: string | undefined): Micros | null =>
    text === undefined ? null : parseInstant(text);
  const until = given(range.until) ?? micros(now - set.untilBeforeNow);
  const from = given(range.from) ?? micros(until - set.last);
  if (until > now) {
    throw new AppError('INVALID_INPUT', `${formatInstant(until)} lies after now.`, {
      hint: `Rows are known until ${formatInstant(now)}.`,
    });
  }
  if (from < until) return { from, until };
  throw new AppError('INVALID_INPUT', 'The range ends before it begins.', {
    hint: 'Give from before until.',
  });
}

function applied({ name, hash, applied_at: at, applied_by: by }: StoredDefinition) {
  return { name, hash, appliedAt: formatInstant(at), appliedBy: by };
}

function toService(found: StoredDefinition<CompiledService>): Service {
  const { views, inputs, features } = found.body.compiled;
  return {
    ...applied(found),
    views: views.map(({ name, hash }) => ({ name, hash })),
    inputs: [...inputs],
    features: features.map((feature) => {
      const { name, kind } = feature;
      if (kind === 'request') return { name, kind, view: null, aggregate: null, window: null };
      const { view, aggregate, window } = feature;
      return { name, kind, view, aggregate, window };
    }),
    declared: found.body.declared,
  };
}

function toView(found: StoredDefinition<CompiledView>): View {
  const { source, keys, windows, aggregates } = found.body.compiled;
  return {
    ...applied(found),
    source: source.name,
    table: `${source.table.namespace}.${source.table.name}`,
    keys: [...keys],
    windows: windows.map(({ name }) => name),
    features: aggregates.map((aggregate) => ({
      name: aggregate.name,
      function: aggregate.function,
    })),
    declared: found.body.declared,
  };
}
