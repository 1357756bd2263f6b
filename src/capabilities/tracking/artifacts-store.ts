import { sql } from 'kysely';
import { AppError } from '../../base/errors.ts';
import type { Micros } from '../../base/time.ts';
import type { Digest } from '../../platform/blobs/port.ts';
import { insertRows } from '../../platform/db/insert-rows.ts';
import { rawQuery } from '../../platform/db/kysely-builder.ts';
import type { Db, Step } from '../../platform/db/port.ts';
import type { ModelFile } from './contract.ts';
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
  putSteps(files: readonly ModelFile[], now: Micros): readonly Step[] {
    const folders = new Set(files.flatMap(({ path }) => foldersAbove(path)));
    const entries = [
      ...[...folders].map((path) => ({ path, digest: null, sizeBytes: 0 })),
      ...files,
    ];
    return insertRows(
      this.#db.dialect,
      {
        columns: {
          parent: 'text',
          name: 'text',
          digest: 'text',
          size_bytes: 'integer',
          written_at: 'integer',
        },
        sql: (v) => `insert into tracking_artifacts (parent, name, digest, size_bytes, written_at)
          select v.parent, v.name, v.digest, v.size_bytes, v.written_at from ${v} where true
          on conflict (parent, name) do update set digest = excluded.digest,
          size_bytes = excluded.size_bytes, written_at = excluded.written_at
          where (tracking_artifacts.digest is null) = (excluded.digest is null)`,
        otherwise: new AppError(
          'INVALID_INPUT',
          `A part of the artifact path ${files[0]?.path ?? ''} is a file where a folder is needed, ` +
            'or the other way round.',
          { hint: 'Delete it first, or choose another path.' },
        ),
      },
      entries.map(({ path, digest, sizeBytes }) => {
        const { parent, name } = split(path);
        return [parent, name, digest, sizeBytes, now];
      }),
    );
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
