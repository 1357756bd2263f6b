import { AppError, type ErrorCode } from '../../base/errors.ts';
import type { Micros } from '../../base/time.ts';
import type { Db, Step } from '../../platform/db/port.ts';
import type { TrainingVersion } from './contract.ts';

export type DefinitionKind = 'source' | 'entity' | 'view' | 'service' | 'label' | 'training_set';

interface DefinitionsRow {
  readonly kind: DefinitionKind;
  readonly name: string;
  readonly hash: string;
  /** JSON of `{ declared, compiled }`. */
  readonly body: string;
  readonly created_at: Micros;
  readonly created_by: string;
}

interface CurrentRow {
  readonly kind: DefinitionKind;
  readonly name: string;
  readonly hash: string;
  readonly applied_at: Micros;
  readonly applied_by: string;
}

interface TrainingVersionsRow {
  readonly name: string;
  readonly version: number;
  readonly build: string;
  /** 1 when a later build of the same key cannot differ. */
  readonly is_settled: number;
  /** JSON of the rest. */
  readonly body: string;
  readonly created_now: Micros;
  readonly created_wall: Micros;
  readonly created_by: string;
}

interface FeaturesTables {
  readonly features_definitions: DefinitionsRow;
  readonly features_current: CurrentRow;
  readonly features_training_versions: TrainingVersionsRow;
}

export interface DefinitionBody<Compiled = unknown> {
  /** As `millwright.yaml` has it. */
  readonly declared: Readonly<Record<string, unknown>>;
  /** Null for a kind that is only part of others. */
  readonly compiled: Compiled;
}

export interface NewDefinition {
  readonly kind: DefinitionKind;
  readonly name: string;
  readonly hash: string;
  readonly body: DefinitionBody;
}

export interface StoredDefinition<Compiled = unknown> extends CurrentRow {
  readonly body: DefinitionBody<Compiled>;
}

export interface StoredVersion {
  readonly build: string;
  readonly isSettled: boolean;
  readonly version: TrainingVersion;
}

/** Definitions of all kinds in force at once; each section has its own, lower limit. */
const CURRENT_MAX = 2000;
/** Definitions of one name that a check of old vectors knows. */
const DEFINITIONS_MAX = 100;

/**
 * The tables `features_definitions` (by hash, never changed), `features_current` (which of them a
 * name means) and `features_training_versions`.
 */
export class FeaturesStore {
  readonly #db: Db;
  #changes = 0;

  constructor(db: Db) {
    this.#db = db;
  }

  /** Rises with every change of what is in force: one process owns a workspace. */
  get changes(): number {
    return this.#changes;
  }

  async current(): Promise<readonly CurrentRow[]> {
    const query = this.#db
      .queries<FeaturesTables>()
      .selectFrom('features_current')
      .selectAll()
      .orderBy('kind')
      .orderBy('name')
      .limit(CURRENT_MAX);
    return await this.#db.read(query);
  }

  /** Definitions in force of one kind, by name, those after `after`. */
  async list<Compiled>(
    kind: DefinitionKind,
    page: { readonly after: string | null; readonly limit: number },
  ): Promise<readonly StoredDefinition<Compiled>[]> {
    const { after, limit } = page;
    let query = this.#joined().where('features_current.kind', '=', kind);
    if (after !== null) query = query.where('features_current.name', '>', after);
    const rows = await this.#db.read(query.orderBy('features_current.name').limit(limit));
    return rows.map(toDefinition<Compiled>);
  }

  /** The definition in force. */
  async find<Compiled>(
    kind: DefinitionKind,
    name: string,
  ): Promise<StoredDefinition<Compiled> | null> {
    const query = this.#joined()
      .where('features_current.kind', '=', kind)
      .where('features_current.name', '=', name);
    const [row] = await this.#db.read(query);
    return row === undefined ? null : toDefinition<Compiled>(row);
  }

  /** A definition that was in force some time; null for an unknown hash. */
  async findByHash<Compiled>(
    kind: DefinitionKind,
    name: string,
    hash: string,
  ): Promise<DefinitionBody<Compiled> | null> {
    const query = this.#db
      .queries<FeaturesTables>()
      .selectFrom('features_definitions')
      .select('body')
      .where('kind', '=', kind)
      .where('name', '=', name)
      .where('hash', '=', hash);
    const [row] = await this.#db.read(query);
    return row === undefined ? null : (JSON.parse(row.body) as DefinitionBody<Compiled>);
  }

  /** The definition with this hash, whatever its name is. */
  async findAny<Compiled>(
    kind: DefinitionKind,
    hash: string,
  ): Promise<DefinitionBody<Compiled> | null> {
    const query = this.#db
      .queries<FeaturesTables>()
      .selectFrom('features_definitions')
      .select('body')
      .where('kind', '=', kind)
      .where('hash', '=', hash)
      .limit(1);
    const [row] = await this.#db.read(query);
    return row === undefined ? null : (JSON.parse(row.body) as DefinitionBody<Compiled>);
  }

  /** Everything a name has meant, the newest first. */
  async definitionsOf<Compiled>(
    kind: DefinitionKind,
    name: string,
  ): Promise<readonly DefinitionBody<Compiled>[]> {
    const query = this.#db
      .queries<FeaturesTables>()
      .selectFrom('features_definitions')
      .select('body')
      .where('kind', '=', kind)
      .where('name', '=', name)
      .orderBy('created_at', 'desc')
      .limit(DEFINITIONS_MAX);
    const rows = await this.#db.read(query);
    return rows.map(({ body }) => JSON.parse(body) as DefinitionBody<Compiled>);
  }

  #joined() {
    return this.#db
      .queries<FeaturesTables>()
      .selectFrom('features_current')
      .innerJoin('features_definitions', (join) =>
        join
          .onRef('features_definitions.kind', '=', 'features_current.kind')
          .onRef('features_definitions.name', '=', 'features_current.name')
          .onRef('features_definitions.hash', '=', 'features_current.hash'),
      )
      .select([
        'features_current.kind',
        'features_current.name',
        'features_current.hash',
        'features_current.applied_at',
        'features_current.applied_by',
        'features_definitions.body',
      ]);
  }

  /** Puts definitions in force and takes others out of it, in one transaction. */
  async apply(change: {
    readonly put: readonly NewDefinition[];
    readonly remove: readonly { readonly kind: DefinitionKind; readonly name: string }[];
    readonly at: Micros;
    readonly by: string;
    readonly events: readonly Step[];
  }): Promise<void> {
    const { put, remove, at, by, events } = change;
    const builder = this.#db.queries<FeaturesTables>();
    const steps: Step[] = put.flatMap(({ kind, name, hash, body }) => [
      {
        query: builder
          .insertInto('features_definitions')
          .values({
            kind,
            name,
            hash,
            body: JSON.stringify(body),
            created_at: at,
            created_by: by,
          })
          .onConflict((conflict) => conflict.doNothing()),
      },
      {
        query: builder
          .insertInto('features_current')
          .values({ kind, name, hash, applied_at: at, applied_by: by })
          .onConflict((conflict) =>
            conflict
              .columns(['kind', 'name'])
              .doUpdateSet({ hash, applied_at: at, applied_by: by }),
          ),
      },
    ]);
    for (const { kind, name } of remove) {
      steps.push({
        query: builder
          .deleteFrom('features_current')
          .where('kind', '=', kind)
          .where('name', '=', name),
      });
    }
    // Before, too: what is read meanwhile may be either.
    this.#changes += 1;
    try {
      await this.#db.write([...steps, ...events]);
    } finally {
      this.#changes += 1;
    }
  }

  /** Rejects with `CONFLICT` when the number is taken. */
  async insertVersion(stored: StoredVersion, times: VersionTimes): Promise<void> {
    const { build, isSettled, version } = stored;
    const query = this.#db
      .queries<FeaturesTables>()
      .insertInto('features_training_versions')
      .values({
        name: version.name,
        version: version.version,
        build,
        is_settled: isSettled ? 1 : 0,
        body: JSON.stringify(version),
        created_now: times.now,
        created_wall: times.wall,
        created_by: version.createdBy,
      });
    await this.#db.write([{ query }, ...times.events]);
  }

  /** Newest first, those below `before`. */
  async versions(
    name: string,
    page: { readonly before: number | null; readonly limit: number },
  ): Promise<readonly TrainingVersion[]> {
    let query = this.#versions().where('name', '=', name);
    if (page.before !== null) query = query.where('version', '<', page.before);
    const rows = await this.#db.read(query.orderBy('version', 'desc').limit(page.limit));
    return rows.map(({ body }) => JSON.parse(body) as TrainingVersion);
  }

  async findVersion(name: string, version: number): Promise<TrainingVersion | null> {
    const query = this.#versions().where('name', '=', name).where('version', '=', version);
    const [row] = await this.#db.read(query);
    return row === undefined ? null : (JSON.parse(row.body) as TrainingVersion);
  }

  /** The newest version of this build, if it would come out the same at `now`. */
  async findBuild(name: string, build: string, now: Micros): Promise<TrainingVersion | null> {
    const query = this.#versions()
      .where('name', '=', name)
      .where('build', '=', build)
      .where((eb) => eb.or([eb('is_settled', '=', 1), eb('created_now', '=', now)]))
      .orderBy('version', 'desc')
      .limit(1);
    const [row] = await this.#db.read(query);
    return row === undefined ? null : (JSON.parse(row.body) as TrainingVersion);
  }

  #versions() {
    return this.#db
      .queries<FeaturesTables>()
      .selectFrom('features_training_versions')
      .select('body');
  }
}

interface VersionTimes {
  readonly now: Micros;
  readonly wall: Micros;
  readonly events: readonly Step[];
}

function toDefinition<Compiled>(
  row: CurrentRow & { readonly body: string },
): StoredDefinition<Compiled> {
  return { ...row, body: JSON.parse(row.body) as DefinitionBody<Compiled> };
}

const MISSING: Readonly<Record<'view' | 'service' | 'training_set', readonly [ErrorCode, string]>> =
  {
    view: ['FEATURE_VIEW_NOT_FOUND', 'feature view'],
    service: ['FEATURE_SERVICE_NOT_FOUND', 'feature service'],
    training_set: ['TRAINING_SET_NOT_FOUND', 'training set'],
  };

export function definitionNotFound(kind: keyof typeof MISSING, name: string): AppError {
  const [code, noun] = MISSING[kind];
  return new AppError(code, `There is no ${noun} ${name}.`, {
    hint: 'Declare it in millwright.yaml and run: millwright apply',
  });
}
