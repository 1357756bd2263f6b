import { AppError } from '../../src/base/errors.ts';
import type { AnyRoute, RouteReply, RouteRequest } from '../../src/base/route.ts';
import {
  approveLoop,
  challengeLoop,
  getDecision,
  getLoop,
  listDecisions,
  listInstances,
  listLoops,
  resumeLoop,
  stopLoop,
  triggerLoop,
  whyLoop,
  type Decision,
  type DecisionKind,
} from '../../src/capabilities/loop/contract.ts';
import {
  columnHistory,
  getEvaluation,
  getMonitor,
  listEvaluations,
  listMonitors,
  qualityHistory,
  runMonitor,
} from '../../src/capabilities/monitoring/contract.ts';
import type { LoopFixture } from './fixture-loop.ts';
import type { MonitorsFixture } from './fixture-monitors.ts';

/** What watches and decides, beside what a `Fixture` holds. */
export interface WatchFixture {
  readonly monitors: MonitorsFixture;
  readonly loop: LoopFixture;
}

interface Answer {
  readonly route: AnyRoute;
  readonly reply: (request: unknown) => unknown;
}

function answer<R extends AnyRoute>(
  route: R,
  reply: (request: RouteRequest<R>) => RouteReply<R>,
): Answer {
  return { route, reply: (request) => reply(request as RouteRequest<R>) };
}

/** One page of a list; the cursor is the offset. */
function page<Item>(
  items: readonly Item[],
  query: { readonly limit: number; readonly cursor?: string | undefined },
): { items: Item[]; nextCursor: string | null } {
  const start = Number(query.cursor ?? 0);
  const end = start + query.limit;
  return { items: items.slice(start, end), nextCursor: end < items.length ? String(end) : null };
}

export function watchAnswers({ monitors, loop }: WatchFixture): readonly Answer[] {
  return [...monitorAnswers(monitors), ...loopAnswers(loop)];
}

function monitorAnswers(of: MonitorsFixture): readonly Answer[] {
  const { monitors, evaluations, quality, columns } = of;
  const notOk = (one: (typeof evaluations)[number]) => ({
    ...one,
    checks: one.checks.filter(({ state }) => state !== 'ok'),
  });
  return [
    answer(listMonitors, ({ query }) =>
      page(
        monitors.map((one) => ({
          ...one,
          latest: one.latest === null ? null : notOk(one.latest),
        })),
        query,
      ),
    ),
    answer(getMonitor, ({ params }) =>
      known(
        monitors.find(({ name }) => name === params.monitor),
        'MONITOR_NOT_FOUND',
      ),
    ),
    answer(listEvaluations, ({ query }) =>
      page(
        evaluations.map((one) =>
          query.kind === undefined
            ? notOk(one)
            : { ...one, checks: one.checks.filter(({ kind }) => kind === query.kind) },
        ),
        query,
      ),
    ),
    answer(getEvaluation, ({ params }) =>
      known(
        evaluations.find(({ id }) => id === params.evaluation),
        'EVALUATION_NOT_FOUND',
      ),
    ),
    answer(qualityHistory, () => quality),
    answer(columnHistory, ({ query }) =>
      known(
        columns.find(({ column }) => column === query.column),
        'INVALID_INPUT',
      ),
    ),
    answer(runMonitor, () => evaluations[0]!),
  ];
}

function loopAnswers(of: LoopFixture): readonly Answer[] {
  const { loops, decisions, instances, sentences } = of;
  return [
    answer(listLoops, ({ query }) => page(loops, query)),
    answer(getLoop, ({ params }) =>
      known(
        loops.find(({ name }) => name === params.loop),
        'LOOP_NOT_FOUND',
      ),
    ),
    answer(listDecisions, ({ query }) =>
      page(
        decisions.filter(({ instance }) => (query.instance ?? instance) === instance),
        query,
      ),
    ),
    answer(getDecision, ({ params }) =>
      known(
        decisions.find(({ id }) => id === params.decision),
        'DECISION_NOT_FOUND',
      ),
    ),
    answer(listInstances, ({ query }) => page(instances, query)),
    answer(whyLoop, ({ params }) => ({
      loop: params.loop,
      at: loops[0]!.lastDecision!.at,
      sentences: [...sentences],
    })),
    answer(triggerLoop, ({ body }) =>
      made(
        of,
        'suppressed',
        `asked for by you: ${body.reason}; no retrain: only 2,114 requests have matured labels.`,
      ),
    ),
    answer(challengeLoop, ({ body: { version, reason, override } }) =>
      made(
        of,
        'challenged',
        `v${version} is put before the gate: ${reason}${override === undefined ? '' : ', whatever it says'}.`,
      ),
    ),
    answer(stopLoop, ({ body: { reason, until } }) =>
      made(
        of,
        'stopped',
        until === undefined ? `Stopped: ${reason}` : `Frozen until ${until}: ${reason}`,
      ),
    ),
    answer(resumeLoop, ({ body }) => made(of, 'resumed', `Resumed: ${body.reason}`)),
    answer(approveLoop, ({ body: { reason, deny } }) =>
      made(of, deny ? 'rejected' : 'approved', `Decided: ${reason}`),
    ),
  ];
}

function made({ decisions }: LoopFixture, kind: DecisionKind, reason: string): Decision {
  return { ...decisions[0]!, kind, reason, actor: 'you', inputs: {}, instance: null };
}

function known<Item>(
  found: Item | undefined,
  code: ConstructorParameters<typeof AppError>[0],
): Item {
  if (found !== undefined) return found;
  throw new AppError(code, 'There is none by that name.', { hint: 'See the list of them.' });
}
