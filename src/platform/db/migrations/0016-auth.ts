import { columnTypes, createTable } from '../dialect.ts';
import type { Migration } from '../migrator.ts';

/** Tokens, of which only the hash of the secret is kept. */
export const auth: Migration = {
  name: '0016-auth',
  up: (queries, dialect) => {
    const type = columnTypes(dialect);
    return [
      createTable(queries, dialect, 'auth_tokens')
        .addColumn('id', type.text, (column) => column.primaryKey())
        .addColumn('name', type.text, (column) => column.notNull().unique())
        .addColumn('hash', type.text, (column) => column.notNull())
        // JSON.
        .addColumn('scopes', type.text, (column) => column.notNull())
        // `wall`, as all that follow.
        .addColumn('created_at', type.integer, (column) => column.notNull())
        .addColumn('created_by', type.text, (column) => column.notNull())
        .addColumn('last_used_at', type.integer)
        .addColumn('expires_at', type.integer)
        .addColumn('revoked_at', type.integer),
    ];
  },
};
