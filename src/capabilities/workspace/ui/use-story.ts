import { PAGE_LIMIT_MAX } from '../../../base/page.ts';
import { together } from '../../../web/kit/together.ts';
import { useRoute } from '../../../web/kit/use-route.ts';
import { listDecisions } from '../../loop/contract.ts';
import { listEvaluations } from '../../monitoring/contract.ts';
import { getTrafficHistory } from '../../predictions/contract.ts';
import { listRevisions } from '../../serving/contract.ts';

/** More than half a year of days; a chart shows no more apart. */
const EVALUATIONS = 200;
const DECISIONS_READ = 500;
/** No event tells of answered requests. */
const HISTORY_POLL_MS = 30_000;

/** What the story is made of; requests are counted from the log where no monitor counts them. */
export function useStory(
  endpoint: string,
  { isWatched, loop }: { readonly isWatched: boolean; readonly loop: string | undefined },
) {
  const evaluations = useRoute(
    listEvaluations,
    { params: { monitor: endpoint }, query: { kind: 'quality', limit: EVALUATIONS } },
    { subjects: [`monitor/${endpoint}`], enabled: isWatched },
  );
  const history = useRoute(
    getTrafficHistory,
    { params: { endpoint }, query: {} },
    {
      subjects: [`endpoint/${endpoint}`],
      pollMs: HISTORY_POLL_MS,
      enabled: !isWatched,
    },
  );
  const decisions = useRoute(
    listDecisions,
    { params: { loop: loop ?? '' }, query: { limit: DECISIONS_READ } },
    { subjects: [`loop/${loop ?? ''}`], enabled: loop !== undefined },
  );
  const revisions = useRoute(
    listRevisions,
    { params: { endpoint }, query: { limit: PAGE_LIMIT_MAX } },
    { subjects: [`endpoint/${endpoint}`] },
  );
  return together(
    isWatched ? evaluations : NONE,
    isWatched ? NONE : history,
    loop === undefined ? NONE : decisions,
    revisions,
  );
}

/** What is not there to be read. */
const NONE = { data: null, error: null, refetch: () => undefined };
