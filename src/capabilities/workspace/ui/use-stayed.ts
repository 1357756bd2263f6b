import type { AppError } from '../../../base/errors.ts';
import { formatInstant, micros } from '../../../base/time.ts';
import { chartTime, DAY_MS } from '../../../web/kit/day-axis.ts';
import { useRoute } from '../../../web/kit/use-route.ts';
import { fixedHistory, type Evaluation, type FixedHistory } from '../../monitoring/contract.ts';
import { versionsIn } from './story.ts';

/** A history's days, less those around it. */
const DAYS_MAX = 180;

export interface Stayed {
  /** That answered anything, the first one first. */
  readonly versions: readonly number[];
  /** Null where nothing is told beside what was served. */
  readonly version: number | null;
  readonly fixed: FixedHistory | undefined;
  readonly error: AppError | null;
}

/**
 * A version told of as if it had stayed: the one asked for, else the first one. Where no other
 * version ever answered there is nothing to tell.
 */
export function useStayed(
  endpoint: string,
  of: {
    readonly evaluations: readonly Evaluation[];
    readonly asked: number | 'none' | undefined;
  },
): Stayed {
  const { evaluations, asked } = of;
  const versions = versionsIn(evaluations);
  const first = versions.length > 1 ? versions[0] : undefined;
  const version = asked === 'none' ? undefined : (asked ?? first);
  const { data, error } = useRoute(
    fixedHistory,
    {
      params: { monitor: endpoint },
      query: { version: version ?? 1, ...beganIn(evaluations) },
    },
    {
      subjects: [`monitor/${endpoint}`],
      isPartial: ({ waiting }) => waiting > 0,
      enabled: version !== undefined && versions.length > 0,
    },
  );
  return { versions, version: version ?? null, fixed: data, error };
}

/** From the first evaluation on; the newest weeks where it is longer ago than a history reaches. */
function beganIn(evaluations: readonly Evaluation[]): { readonly from?: string } {
  const times = evaluations.map(({ at }) => chartTime(at));
  const [first, last] = [Math.min(...times), Math.max(...times)];
  if (times.length === 0 || last - first > DAYS_MAX * DAY_MS) return {};
  return { from: formatInstant(micros((first - DAY_MS) * 1000)) };
}
