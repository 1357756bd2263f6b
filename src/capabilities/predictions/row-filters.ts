import { formatInstant, parseInstant } from '../../base/time.ts';
import type { PageQuery } from '../../base/page.ts';
import type { DeltaTables } from '../tables/delta-tables.ts';

export type RowFilters = Parameters<DeltaTables['find']>[1]['where'];

export interface ListQuery extends PageQuery {
  /** Domain times. */
  readonly from?: string | undefined;
  readonly until?: string | undefined;
  readonly version?: number | undefined;
  readonly failed?: boolean | undefined;
}

/** What a row of `predictions.<endpoint>` has to be like; nothing when any will do. */
export function rowFilters({ from, until, version, failed }: ListQuery): RowFilters {
  return [
    ...answeredAt('>=', from),
    ...answeredAt('<', until),
    ...(version === undefined
      ? []
      : [{ column: 'version', comparison: '=' as const, value: version }]),
    ...(failed === undefined
      ? []
      : [{ column: 'status', comparison: failed ? ('>=' as const) : ('<' as const), value: 400 }]),
  ];
}

function answeredAt(comparison: '>=' | '<', text: string | undefined): RowFilters {
  const at = text === undefined ? null : parseInstant(text);
  return at === null ? [] : [{ column: 'answered_at', comparison, value: formatInstant(at) }];
}
