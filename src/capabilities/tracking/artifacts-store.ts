import { sql } from 'kysely';
import { AppError } from '../../base/errors.ts';
import type { Micros } from '../../base/time.ts';
import type { Digest } from '../../platform/blobs/port.ts';
import { rawQuery } from '../../platform/db/kysely-builder.ts';
import type { Db, Step } from '../../platform/db/port.ts';
import type { ArtifactsRow, TrackingTables } from './rows.ts';

/** A file below a folder, by its path relative to that. */
export interface ArtifactFile {
  readonly path: string;
  readonly digest: Digest;
  readonly sizeBytes: number;
}

/** The table `tracking_artifacts`: a tree of names; content is in the blobs. */
export class ArtifactsStore {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  async write(steps: readonly Step[]): Promise<void> {
    await this.#db.write(steps);
  }

  /** Steps that put files at their paths with the folders above them. */
  putSteps(files: readonly ArtifactFile[], now: Micros): readonly Step[] {
    const folders = new Set(files.flatMap(({ path }) => foldersAbove(path)));
    return [
      ...[...folders].toSorted().map((path) => this.#putStep({ path, file: null, now })),
      ...files.map((file) => this.#putStep({ path: file.path, file, now })),
    ];
  }

  async find(path: string): Promise<ArtifactsRow | null> {
    const { parent, name } = split(path);
    const [row] = await this.#db.read(
      this.#builder
        .selectFrom('tracking_artifacts')
        .selectAll()
        .where('parent', '=', parent)
        .where('name', '=', name),
    );
    return row ?? null;
  }

  /** Entries of a folder by name, those after `after`. */
  async list(
    folder: string,
    page: { readonly after: string | null; readonly limit: number },
  ): Promise<readonly ArtifactsRow[]> {
    let select = this.#builder
      .selectFrom('tracking_artifacts')
      .selectAll()
      .where('parent', '=', folder)
      .orderBy('name')
      .limit(page.limit);
    if (page.after !== null) select = select.where('name', '>', page.after);
    return this.#db.read(select);
  }

  /** Every file below a folder, at most `limit`. */
  async filesBelow(folder: string, limit: number): Promise<readonly ArtifactFile[]> {
    const rows = await this.#db.read(
      rawQuery(
        this.#builder,
        sql<ArtifactsRow>`select * from tracking_artifacts where ${below(folder)}
          and digest is not null order by parent, name limit ${limit}`,
      ),
    );
    return rows.map(({ parent, name, digest, size_bytes: sizeBytes }) => ({
      path: `${parent}/${name}`.slice(folder.length + 1),
      digest: digest!,
      sizeBytes,
    }));
  }

  /** Forgets a file, or a folder with all below it; the bytes stay, others may have the same. */
  async delete(path: string): Promise<void> {
    const { parent, name } = split(path);
    await this.#db.write([
      {
        query: this.#builder
          .deleteFrom('tracking_artifacts')
          .where('parent', '=', parent)
          .where('name', '=', name),
        expect: { rows: 1, otherwise: artifactNotFound(path) },
      },
      { query: rawQuery(this.#builder, sql`delete from tracking_artifacts where ${below(path)}`) },
    ]);
  }

  #putStep(entry: {
    readonly path: string;
    readonly file: ArtifactFile | null;
    readonly now: Micros;
  }): Step {
    const { path, file, now } = entry;
    const row = {
      ...split(path),
      digest: file?.digest ?? null,
      size_bytes: file?.sizeBytes ?? 0,
      written_at: now,
    };
    const isSameKind = file === null ? 'is null' : 'is not null';
    return {
      query: this.#builder
        .insertInto('tracking_artifacts')
        .values(row)
        .onConflict((conflict) =>
          conflict
            .columns(['parent', 'name'])
            .doUpdateSet({ digest: row.digest, size_bytes: row.size_bytes, written_at: now })
            .where(sql<boolean>`tracking_artifacts.digest ${sql.raw(isSameKind)}`),
        ),
      expect: {
        rows: 1,
        otherwise: new AppError(
          'INVALID_INPUT',
          `The artifact ${path} is a ${file === null ? 'file' : 'folder'}.`,
          { hint: 'Delete it first, or choose another path.' },
        ),
      },
    };
  }

  get #builder() {
    return this.#db.queries<TrackingTables>();
  }
}

export function artifactNotFound(path: string): AppError {
  return new AppError('ARTIFACT_NOT_FOUND', `No such artifact: '${path}'`);
}

/** `a/b/c` gives `a` and `a/b`. */
function foldersAbove(path: string): readonly string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}

function split(path: string): { readonly parent: string; readonly name: string } {
  const at = path.lastIndexOf('/');
  return { parent: path.slice(0, Math.max(at, 0)), name: path.slice(at + 1) };
}

/** Everything in the folder and in folders below it; `0` is the character after `/`. */
function below(folder: string) {
  return sql`(parent = ${folder} or (parent >= ${`${folder}/`} and parent < ${`${folder}0`}))`;
}
