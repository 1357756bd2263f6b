import { sql, type RawBuilder } from 'kysely';
import { AppError } from '../../base/errors.ts';
import type { Micros } from '../../base/time.ts';
import type { Clause } from '../../formats/mlflow/filter.ts';
import type { Order } from '../../formats/mlflow/order-by.ts';
import type { KeyValue } from '../../formats/mlflow/scalars.ts';
import { comparison } from '../../platform/db/comparison.ts';
import { rawQuery } from '../../platform/db/kysely-builder.ts';
import type { Db, Step } from '../../platform/db/port.ts';
import {
  modelNotFound,
  toVersion,
  type LabelledVersion,
  type ModelsRow,
  type RegistryStore,
  type RegistryTables,
} from './store.ts';

/** A registered model as MLflow shows it. */
export interface CatalogModel extends ModelsRow {
  readonly tags: readonly KeyValue[];
  readonly aliases: readonly { readonly alias: string; readonly version: number }[];
}

interface Found {
  readonly clauses: readonly Clause[];
  readonly orders: readonly Order[];
  readonly offset: number;
  readonly limit: number;
}

const MODEL_COLUMNS: Readonly<Record<string, string>> = {
  name: 'm.name',
  last_updated_timestamp: 'm.updated_at',
};

const VERSION_COLUMNS: Readonly<Record<string, RawBuilder<unknown>>> = {
  name: sql`v.model`,
  version_number: sql`v.version`,
  run_id: sql`substr(v.run_id, 5)`,
  source_path: sql`v.source`,
  creation_timestamp: sql`v.created_at`,
  last_updated_timestamp: sql`v.updated_at`,
};

/** Prompts are models with this tag to MLflow's clients, which leave them out by it. */
const PROMPT_TAG = 'mlflow.prompt.is_prompt';

type VersionChange = Partial<
  Pick<LabelledVersion, 'description' | 'stage' | 'updated_at' | 'deleted_at'>
>;

/** What may change about models and versions: descriptions, tags, aliases, stages, deletion. */
export class CatalogStore {
  readonly #db: Db;
  readonly #versions: RegistryStore;

  constructor(db: Db, versions: RegistryStore) {
    this.#db = db;
    this.#versions = versions;
  }

  /** A deleted name is free again, its version numbers are not. Rejects with `MODEL_EXISTS`. */
  async createModel(
    model: {
      readonly name: string;
      readonly description: string;
      readonly tags: readonly KeyValue[];
    },
    now: Micros,
  ): Promise<void> {
    const { name, description, tags } = model;
    const row = { name, description, created_at: now, updated_at: now, deleted_at: null };
    await this.#db.write([
      {
        query: this.#builder
          .insertInto('registry_models')
          .values(row)
          .onConflict((conflict) =>
            conflict
              .column('name')
              .doUpdateSet(row)
              .where('registry_models.deleted_at', 'is not', null),
          ),
        expect: {
          rows: 1,
          otherwise: new AppError(
            'MODEL_EXISTS',
            `Registered Model (name=${name}) already exists.`,
          ),
        },
      },
      ...tags.map((tag) => this.#modelTagStep(name, tag)),
    ]);
  }

  /** Null when there is none, or it was deleted. */
  async findModel(name: string): Promise<CatalogModel | null> {
    const rows = await this.#db.read(
      this.#builder
        .selectFrom('registry_models')
        .selectAll()
        .where('name', '=', name)
        .where('deleted_at', 'is', null),
    );
    return (await this.#labelled(rows))[0] ?? null;
  }

  async searchModels(query: Found): Promise<readonly CatalogModel[]> {
    const { clauses, orders, offset, limit } = query;
    const where = clauses.map((clause) => this.#modelCondition(clause));
    const sorts = orders.map(
      ({ key, isAscending }) =>
        sql`${sql.ref(MODEL_COLUMNS[key]!)} ${sql.raw(isAscending ? 'asc' : 'desc')}`,
    );
    const statement = sql<ModelsRow>`select m.* from registry_models m
      where ${sql.join([sql`m.deleted_at is null`, ...where], sql` and `)}
      order by ${sql.join([...sorts, sql`m.name`])} limit ${limit} offset ${offset}`;
    return this.#labelled(await this.#db.read(rawQuery(this.#builder, statement)));
  }

  async describeModel(name: string, description: string, now: Micros): Promise<void> {
    await this.#db.write([this.#changeModel(name, { description, updated_at: now })]);
  }

  /** Its versions leave the lists with it; what serves them goes on. */
  async deleteModel(name: string, now: Micros): Promise<void> {
    await this.#db.write([
      this.#changeModel(name, { deleted_at: now, updated_at: now }),
      {
        query: this.#builder
          .updateTable('registry_versions')
          .set({ deleted_at: now, updated_at: now })
          .where('model', '=', name)
          .where('deleted_at', 'is', null),
      },
      { query: this.#builder.deleteFrom('registry_aliases').where('model', '=', name) },
      { query: this.#builder.deleteFrom('registry_model_tags').where('model', '=', name) },
    ]);
  }

  async setModelTag(name: string, tag: KeyValue, now: Micros): Promise<void> {
    await this.#db.write([
      this.#changeModel(name, { updated_at: now }),
      this.#modelTagStep(name, tag),
    ]);
  }

  async deleteModelTag(name: string, key: string, now: Micros): Promise<void> {
    await this.#db.write([
      this.#changeModel(name, { updated_at: now }),
      {
        query: this.#builder
          .deleteFrom('registry_model_tags')
          .where('model', '=', name)
          .where('key', '=', key),
      },
    ]);
  }

  async setAlias(
    at: { readonly model: string; readonly alias: string; readonly version: number },
    notFound: AppError,
  ): Promise<void> {
    const { model, alias, version } = at;
    await this.#db.write([
      {
        query: this.#builder
          .selectFrom('registry_versions')
          .select('version')
          .where('model', '=', model)
          .where('version', '=', version)
          .where('deleted_at', 'is', null),
        expect: { rows: 1, otherwise: notFound },
      },
      {
        query: this.#builder
          .insertInto('registry_aliases')
          .values({ model, alias, version })
          .onConflict((conflict) => conflict.columns(['model', 'alias']).doUpdateSet({ version })),
      },
    ]);
  }

  async deleteAlias(model: string, alias: string): Promise<void> {
    await this.#db.write([
      {
        query: this.#builder
          .deleteFrom('registry_aliases')
          .where('model', '=', model)
          .where('alias', '=', alias),
      },
    ]);
  }

  async searchVersions(query: Found): Promise<readonly LabelledVersion[]> {
    const { clauses, orders, offset, limit } = query;
    const where = clauses.map((clause) => this.#versionCondition(clause));
    const sorts = orders.map(
      ({ key, isAscending }) =>
        sql`${VERSION_COLUMNS[key]!} ${sql.raw(isAscending ? 'asc' : 'desc')}`,
    );
    const statement = sql<Parameters<typeof toVersion>[0]>`select v.* from registry_versions v
      where ${sql.join([sql`v.deleted_at is null`, ...where], sql` and `)}
      order by ${sql.join([...sorts, sql`v.updated_at desc`, sql`v.model`, sql`v.version desc`])}
      limit ${limit} offset ${offset}`;
    const rows = await this.#db.read(rawQuery(this.#builder, statement));
    return this.#versions.labelled(rows.map(toVersion));
  }

  /** The newest version of a model in each stage that has one. */
  async latestByStage(model: string): Promise<readonly LabelledVersion[]> {
    const statement = sql<Parameters<typeof toVersion>[0]>`select v.* from registry_versions v
      where v.model = ${model} and v.deleted_at is null and v.version =
      (select max(w.version) from registry_versions w
        where w.model = v.model and w.stage = v.stage and w.deleted_at is null)
      order by v.version`;
    const rows = await this.#db.read(rawQuery(this.#builder, statement));
    return this.#versions.labelled(rows.map(toVersion));
  }

  async changeVersion(
    at: { readonly model: string; readonly version: number },
    change: VersionChange,
    steps: readonly Step[] = [],
  ): Promise<void> {
    const query = this.#builder
      .updateTable('registry_versions')
      .set(change)
      .where('model', '=', at.model)
      .where('version', '=', at.version);
    await this.#db.write([{ query }, ...steps]);
  }

  /** Moves every other version of a stage to `Archived`. */
  archiveStep(at: {
    readonly model: string;
    readonly version: number;
    readonly stage: string;
    readonly now: Micros;
  }): Step {
    return {
      query: this.#builder
        .updateTable('registry_versions')
        .set({ stage: 'Archived', updated_at: at.now })
        .where('model', '=', at.model)
        .where('version', '!=', at.version)
        .where('stage', '=', at.stage),
    };
  }

  forgetAliasesStep(model: string, version: number): Step {
    return {
      query: this.#builder
        .deleteFrom('registry_aliases')
        .where('model', '=', model)
        .where('version', '=', version),
    };
  }

  versionTagStep(model: string, version: number, tag: KeyValue): Step {
    return {
      query: this.#builder
        .insertInto('registry_version_tags')
        .values({ model, version, ...tag })
        .onConflict((conflict) =>
          conflict.columns(['model', 'version', 'key']).doUpdateSet({ value: tag.value }),
        ),
    };
  }

  forgetTagStep(model: string, version: number, key: string): Step {
    return {
      query: this.#builder
        .deleteFrom('registry_version_tags')
        .where('model', '=', model)
        .where('version', '=', version)
        .where('key', '=', key),
    };
  }

  #changeModel(name: string, change: Partial<Omit<ModelsRow, 'name'>>): Step {
    return {
      query: this.#builder
        .updateTable('registry_models')
        .set(change)
        .where('name', '=', name)
        .where('deleted_at', 'is', null),
      expect: { rows: 1, otherwise: modelNotFound(name) },
    };
  }

  #modelTagStep(model: string, { key, value }: KeyValue): Step {
    return {
      query: this.#builder
        .insertInto('registry_model_tags')
        .values({ model, key, value })
        .onConflict((conflict) => conflict.columns(['model', 'key']).doUpdateSet({ value })),
    };
  }

  #modelCondition(clause: Clause): RawBuilder<boolean> {
    if (clause.entity !== 'tag') {
      return comparison(this.#db.dialect, sql.ref(MODEL_COLUMNS[clause.key]!), clause);
    }
    return this.#tagCondition(
      clause,
      sql`select 1 from registry_model_tags t where t.model = m.name`,
    );
  }

  #versionCondition(clause: Clause): RawBuilder<boolean> {
    if (clause.entity !== 'tag') {
      return comparison(this.#db.dialect, VERSION_COLUMNS[clause.key]!, clause);
    }
    return this.#tagCondition(
      clause,
      sql`select 1 from registry_version_tags t where t.model = v.model and t.version = v.version`,
    );
  }

  /** `!=` is true of what lacks the tag only for the tag that marks prompts. */
  #tagCondition(clause: Clause, from: RawBuilder<unknown>): RawBuilder<boolean> {
    const { key, op, value } = clause;
    const isNegated = op === 'IS NULL' || (key === PROMPT_TAG && op === '!=');
    const compared = isNegated && op === '!=' ? { op: '=', value } : clause;
    const holds = value === null ? sql`true` : comparison(this.#db.dialect, sql`t.value`, compared);
    const exists = sql<boolean>`exists (${from} and t.key = ${key} and ${holds})`;
    return isNegated ? sql`not ${exists}` : exists;
  }

  async #labelled(rows: readonly ModelsRow[]): Promise<readonly CatalogModel[]> {
    if (rows.length === 0) return [];
    const names = rows.map(({ name }) => name);
    const [tags, aliases] = await Promise.all([
      this.#db.read(
        this.#builder
          .selectFrom('registry_model_tags')
          .selectAll()
          .where('model', 'in', names)
          .orderBy('key'),
      ),
      this.#db.read(
        this.#builder
          .selectFrom('registry_aliases')
          .selectAll()
          .where('model', 'in', names)
          .orderBy('alias'),
      ),
    ]);
    const tagsOf = Map.groupBy(tags, ({ model }) => model);
    const aliasesOf = Map.groupBy(aliases, ({ model }) => model);
    return rows.map((row) => ({
      ...row,
      tags: (tagsOf.get(row.name) ?? []).map(({ key, value }) => ({ key, value })),
      aliases: aliasesOf.get(row.name) ?? [],
    }));
  }

  get #builder() {
    return this.#db.queries<RegistryTables>();
  }
}
