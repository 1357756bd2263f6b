import { mount, type MountedRoute } from '../../platform/http/mount.ts';
import {
  appendRows,
  createTable,
  diffTable,
  getTable,
  listTables,
  PARQUET_TYPE,
  parquetColumns,
  readRows,
  tableHistory,
} from './contract.ts';
import type { TablesService } from './service.ts';

export function tablesRoutes(service: TablesService): readonly MountedRoute[] {
  return [
    mount(listTables, ({ query }) => service.list(query)),
    mount(createTable, ({ body }, { actor }) => service.create({ ...body, actor })),
    mount(parquetColumns, (_, { bytes }) => service.parquetColumns(bytes)),
    mount(getTable, ({ params, query }) => service.get(params, query.version)),
    mount(appendRows, ({ params, query }, { bytes, contentType, actor }) => {
      const format = contentType === PARQUET_TYPE ? 'parquet' : 'ndjson';
      return service.append({ ...params, ...query, bytes, format, actor });
    }),
    mount(readRows, ({ params, query }, { signal }) => service.rows(params, query, signal)),
    mount(tableHistory, ({ params, query }) => service.history(params, query)),
    mount(diffTable, ({ params, query }, { signal }) => service.difference(params, query, signal)),
  ];
}
