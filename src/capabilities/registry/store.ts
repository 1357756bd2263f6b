import { AppError } from '../../base/errors.ts';
import type { Micros } from '../../base/time.ts';
import type { Digest } from '../../platform/blobs/port.ts';
import type { Db, Step } from '../../platform/db/port.ts';
import type { Signature } from './contract.ts';

export interface ModelsRow {
  readonly name: string;
  readonly created_at: Micros;
  readonly description: string;
  readonly updated_at: Micros;
  readonly deleted_at: Micros | null;
}

interface VersionsRow {
  readonly id: string;
  readonly model: string;
  readonly version: number;
  readonly digest: Digest;
  readonly size_bytes: number;
  readonly signature: string;
  readonly description: string;
  readonly created_at: Micros;
  readonly created_by: string;
  readonly format: 'onnx' | 'mlflow';
  readonly run_id: string | null;
  /** As the client named it. */
  readonly source: string;
  /** Where its files are kept among the artifacts; null for a file registered by itself. */
  readonly artifacts: string | null;
  readonly logged_model: string | null;
  readonly run_link: string | null;
  readonly stage: string;
  readonly updated_at: Micros;
  readonly deleted_at: Micros | null;
}

export interface RegistryTables {
  readonly registry_models: ModelsRow;
  readonly registry_versions: VersionsRow;
  readonly registry_aliases: {
    readonly model: string;
    readonly alias: string;
    readonly version: number;
  };
  readonly registry_model_tags: {
    readonly model: string;
    readonly key: string;
    readonly value: string;
  };
  readonly registry_version_tags: {
    readonly model: string;
    readonly version: number;
    readonly key: string;
    readonly value: string;
  };
}

export interface StoredVersion extends Omit<VersionsRow, 'signature'> {
  readonly signature: Signature;
}

/** What may change about a version. */
export interface VersionLabels {
  readonly aliases: readonly string[];
  readonly tags: readonly { readonly key: string; readonly value: string }[];
}

export type LabelledVersion = StoredVersion & VersionLabels;

export interface StoredModel extends ModelsRow {
  readonly latest_version: number | null;
}

/**
 * The tables `registry_models` and `registry_versions`: what a version consists of is never changed
 * once written.
 */
export class RegistryStore {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  /** Rejects with `CONFLICT` when the version number is taken. */
  async insertVersion(version: StoredVersion, steps: readonly Step[]): Promise<void> {
    const builder = this.#builder;
    const { signature, created_at: now, ...rest } = version;
    await this.#db.write([
      {
        query: builder
          .insertInto('registry_models')
          .values({
            name: version.model,
            created_at: now,
            updated_at: now,
            description: '',
            deleted_at: null,
          })
          .onConflict((conflict) =>
            conflict.column('name').doUpdateSet({ updated_at: now, deleted_at: null }),
          ),
      },
      {
        query: builder
          .insertInto('registry_versions')
          .values({ ...rest, created_at: now, signature: JSON.stringify(signature) }),
      },
      ...steps,
    ]);
  }

  /** The highest number ever given, also to a version deleted since; zero before the first. */
  async latestVersion(model: string): Promise<number> {
    const [row] = await this.#db.read(
      this.#builder
        .selectFrom('registry_versions')
        .select((eb) => eb.fn.max('version').as('version'))
        .where('model', '=', model),
    );
    return row?.version ?? 0;
  }

  /** Deleted ones too. */
  async findVersion(model: string, version: number): Promise<LabelledVersion | null> {
    const rows = await this.#db.read(
      this.#builder
        .selectFrom('registry_versions')
        .selectAll()
        .where('model', '=', model)
        .where('version', '=', version),
    );
    return (await this.labelled(rows.map(toVersion)))[0] ?? null;
  }

  /** Newest first, those before `before`. */
  async listVersions(
    model: string,
    page: { readonly before: number | null; readonly limit: number },
  ): Promise<readonly LabelledVersion[]> {
    let query = this.#builder
      .selectFrom('registry_versions')
      .selectAll()
      .where('model', '=', model)
      .where('deleted_at', 'is', null)
      .orderBy('version', 'desc')
      .limit(page.limit);
    if (page.before !== null) query = query.where('version', '<', page.before);
    return this.labelled((await this.#db.read(query)).map(toVersion));
  }

  /** Versions registered from a run. */
  async versionsOfRun(
    runId: string,
  ): Promise<readonly { readonly model: string; readonly version: number }[]> {
    return this.#db.read(
      this.#builder
        .selectFrom('registry_versions')
        .select(['model', 'version'])
        .where('run_id', '=', runId)
        .where('deleted_at', 'is', null)
        .orderBy('model')
        .orderBy('version'),
    );
  }

  /** By name, those after `after`. */
  async listModels(page: {
    readonly after: string | null;
    readonly limit: number;
  }): Promise<readonly StoredModel[]> {
    let query = this.#builder
      .selectFrom('registry_models as m')
      .leftJoin('registry_versions as v', (join) =>
        join.onRef('v.model', '=', 'm.name').on('v.deleted_at', 'is', null),
      )
      .where('m.deleted_at', 'is', null)
      .groupBy(['m.name', 'm.created_at', 'm.description', 'm.updated_at', 'm.deleted_at'])
      .select((eb) => [
        'm.name',
        'm.created_at',
        'm.description',
        'm.updated_at',
        'm.deleted_at',
        eb.fn.max('v.version').as('latest_version'),
      ])
      .orderBy('m.name')
      .limit(page.limit);
    if (page.after !== null) query = query.where('m.name', '>', page.after);
    return this.#db.read(query);
  }

  async requireModel(model: string): Promise<void> {
    const [row] = await this.#db.read(
      this.#builder
        .selectFrom('registry_models')
        .select('name')
        .where('name', '=', model)
        .where('deleted_at', 'is', null),
    );
    if (row === undefined) throw modelNotFound(model);
  }

  /** The versions with their aliases and tags; all of one page. */
  async labelled(versions: readonly StoredVersion[]): Promise<readonly LabelledVersion[]> {
    if (versions.length === 0) return [];
    const models = [...new Set(versions.map(({ model }) => model))];
    const [aliases, tags] = await Promise.all([
      this.#db.read(
        this.#builder
          .selectFrom('registry_aliases')
          .selectAll()
          .where('model', 'in', models)
          .orderBy('alias'),
      ),
      this.#db.read(
        this.#builder
          .selectFrom('registry_version_tags')
          .selectAll()
          .where('model', 'in', models)
          .where('version', 'in', [...new Set(versions.map(({ version }) => version))])
          .orderBy('key'),
      ),
    ]);
    const name = (row: { readonly model: string; readonly version: number }): string =>
      `${row.model}@${row.version}`;
    const aliasesOf = Map.groupBy(aliases, name);
    const tagsOf = Map.groupBy(tags, name);
    return versions.map((version) => ({
      ...version,
      aliases: (aliasesOf.get(name(version)) ?? []).map(({ alias }) => alias),
      tags: (tagsOf.get(name(version)) ?? []).map(({ key, value }) => ({ key, value })),
    }));
  }

  get #builder() {
    return this.#db.queries<RegistryTables>();
  }
}

export function modelNotFound(model: string): AppError {
  return new AppError('MODEL_NOT_FOUND', `Registered Model with name=${model} not found`, {
    hint: `Register one with: millwright models register ${model} FILE.onnx`,
  });
}

export function toVersion(row: VersionsRow): StoredVersion {
  return { ...row, signature: JSON.parse(row.signature) as Signature };
}
