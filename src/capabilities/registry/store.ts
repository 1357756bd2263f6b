import { AppError } from '../../base/errors.ts';
import type { Micros } from '../../base/time.ts';
import type { Digest } from '../../platform/blobs/port.ts';
import type { Db, Step } from '../../platform/db/port.ts';
import type { Signature } from './contract.ts';

interface ModelsRow {
  readonly name: string;
  readonly created_at: Micros;
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
  readonly run_id: string | null;
}

interface RegistryTables {
  readonly registry_models: ModelsRow;
  readonly registry_versions: VersionsRow;
}

export interface StoredVersion extends Omit<VersionsRow, 'signature'> {
  readonly signature: Signature;
}

export interface StoredModel extends ModelsRow {
  readonly latest_version: number;
}

/**
 * The tables `registry_models` and `registry_versions`; a version is never changed once written.
 */
export class RegistryStore {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  /** Rejects with `CONFLICT` when the version number is taken. */
  async insertVersion(version: StoredVersion, events: readonly Step[]): Promise<void> {
    const builder = this.#db.queries<RegistryTables>();
    const { signature, ...rest } = version;
    await this.#db.write([
      {
        query: builder
          .insertInto('registry_models')
          .values({ name: version.model, created_at: version.created_at })
          .onConflict((conflict) => conflict.doNothing()),
      },
      {
        query: builder
          .insertInto('registry_versions')
          .values({ ...rest, signature: JSON.stringify(signature) }),
      },
      ...events,
    ]);
  }

  /** Zero when the model has no version yet. */
  async latestVersion(model: string): Promise<number> {
    const builder = this.#db.queries<RegistryTables>();
    const [row] = await this.#db.read(
      builder
        .selectFrom('registry_versions')
        .select((eb) => eb.fn.max('version').as('version'))
        .where('model', '=', model),
    );
    return row?.version ?? 0;
  }

  async findVersion(model: string, version: number): Promise<StoredVersion | null> {
    const builder = this.#db.queries<RegistryTables>();
    const [row] = await this.#db.read(
      builder
        .selectFrom('registry_versions')
        .selectAll()
        .where('model', '=', model)
        .where('version', '=', version),
    );
    return row === undefined ? null : toVersion(row);
  }

  /** Newest first, those before `before`. */
  async listVersions(
    model: string,
    page: { readonly before: number | null; readonly limit: number },
  ): Promise<readonly StoredVersion[]> {
    const builder = this.#db.queries<RegistryTables>();
    let query = builder
      .selectFrom('registry_versions')
      .selectAll()
      .where('model', '=', model)
      .orderBy('version', 'desc')
      .limit(page.limit);
    if (page.before !== null) query = query.where('version', '<', page.before);
    return (await this.#db.read(query)).map(toVersion);
  }

  /** Versions registered from a run. */
  async versionsOfRun(
    runId: string,
  ): Promise<readonly { readonly model: string; readonly version: number }[]> {
    return this.#db.read(
      this.#db
        .queries<RegistryTables>()
        .selectFrom('registry_versions')
        .select(['model', 'version'])
        .where('run_id', '=', runId)
        .orderBy('model')
        .orderBy('version'),
    );
  }

  /** By name, those after `after`. */
  async listModels(page: {
    readonly after: string | null;
    readonly limit: number;
  }): Promise<readonly StoredModel[]> {
    const builder = this.#db.queries<RegistryTables>();
    let query = builder
      .selectFrom('registry_models as m')
      .innerJoin('registry_versions as v', 'v.model', 'm.name')
      .groupBy(['m.name', 'm.created_at'])
      .select((eb) => ['m.name', 'm.created_at', eb.fn.max('v.version').as('latest_version')])
      .orderBy('m.name')
      .limit(page.limit);
    if (page.after !== null) query = query.where('m.name', '>', page.after);
    return this.#db.read(query);
  }

  async requireModel(model: string): Promise<void> {
    if ((await this.latestVersion(model)) > 0) return;
    throw new AppError('MODEL_NOT_FOUND', `There is no model ${model}.`, {
      hint: `Register one with: millwright models register ${model} FILE.onnx`,
    });
  }
}

function toVersion(row: VersionsRow): StoredVersion {
  return { ...row, signature: JSON.parse(row.signature) as Signature };
}
