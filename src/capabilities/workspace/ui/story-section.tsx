import { EmptyState, Select, Stack, Text } from '@mantine/core';
import { IconTimeline } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { useMemo, type ReactNode } from 'react';
import type { RouteReply } from '../../../base/route.ts';
import { PAGE_LIMIT_MAX } from '../../../base/page.ts';
import { formatInstant, micros } from '../../../base/time.ts';
import { Chart, type ChartPoint } from '../../../web/kit/chart.tsx';
import { chartTime } from '../../../web/kit/day-axis.ts';
import { formatCount, formatCounted, formatValue } from '../../../web/kit/format.ts';
import { Loaded } from '../../../web/kit/loaded.tsx';
import { Section } from '../../../web/kit/section.tsx';
import { together } from '../../../web/kit/together.ts';
import { useRoute } from '../../../web/kit/use-route.ts';
import { listDecisions, type Loop } from '../../loop/contract.ts';
import { listEvaluations, type Monitor } from '../../monitoring/contract.ts';
import { getTrafficHistory, type TrafficHistory } from '../../predictions/contract.ts';
import { listRevisions, type Endpoint } from '../../serving/contract.ts';
import { DecisionsList } from './decisions-list.tsx';
import { spanMs, storyOf, type Story } from './story.ts';
import { behindPoint, storyHeight, storyOption } from './story-option.ts';

/** More than half a year of days; a chart shows no more apart. */
const EVALUATIONS = 200;
const DECISIONS_READ = 500;
const HOUR_MS = 3_600_000;
/** No event tells of answered requests. */
const HISTORY_POLL_MS = 30_000;

interface StorySectionProps {
  readonly endpoint: string;
  readonly endpoints: readonly Endpoint[];
  readonly monitors: readonly Monitor[];
  readonly loops: readonly Loop[];
  readonly now: string;
}

/** What happened to an endpoint: traffic, quality and decisions on one axis of domain time. */
export function StorySection(props: StorySectionProps): ReactNode {
  const { endpoint, endpoints, monitors, loops, now } = props;
  const navigate = useNavigate({ from: '/' });
  const monitor = monitors.find(({ name }) => name === endpoint);
  const loop = loops.find((one) => one.endpoint === endpoint);
  const read = useStory(endpoint, { isWatched: monitor !== undefined, loop: loop?.name });
  return (
    <Section
      title="What happened"
      aside={
        <Select
          size="xs"
          aria-label="Endpoint told of"
          searchable
          allowDeselect={false}
          data={endpoints.map(({ name }) => name)}
          value={endpoint}
          onChange={(value) =>
            void navigate({
              search: (search) => ({ ...search, endpoint: value ?? undefined }),
              resetScroll: false,
            })
          }
        />
      }
    >
      <Loaded query={read} height={420}>
        {([evaluations, history, decisions, revisions]) => (
          <Told
            endpoint={endpoint}
            evaluations={evaluations}
            everyMs={spanMs(monitor?.spec.every ?? '1d')}
            history={history}
            decisions={decisions}
            revisions={revisions}
            hour={Math.ceil(chartTime(now) / HOUR_MS)}
          />
        )}
      </Loaded>
    </Section>
  );
}

/** What the story is made of; requests are counted from the log where no monitor counts them. */
function useStory(
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

interface ToldProps {
  readonly endpoint: string;
  readonly evaluations: RouteReply<typeof listEvaluations> | null;
  readonly everyMs: number;
  readonly history: TrafficHistory | null;
  readonly decisions: RouteReply<typeof listDecisions> | null;
  readonly revisions: RouteReply<typeof listRevisions>;
  /** The domain clock's, so that nothing is drawn again only because time goes on. */
  readonly hour: number;
}

function Told(props: ToldProps): ReactNode {
  const { endpoint, evaluations, everyMs, history, decisions, revisions, hour } = props;
  const story = useMemo(
    () =>
      storyOf({
        evaluations: evaluations?.items ?? [],
        everyMs,
        history,
        decisions: decisions?.items ?? [],
        revisions: revisions.items,
        until: hour * HOUR_MS,
      }),
    [evaluations, everyMs, history, decisions, revisions, hour],
  );
  const navigate = useNavigate({ from: '/' });
  const drawn = useMemo(
    () => ({ option: storyOption(story), height: storyHeight(story), rows: rowsOf(story) }),
    [story],
  );
  if (story.traffic.length === 0 && story.decisions.length === 0) {
    return (
      <EmptyState
        icon={<IconTimeline aria-hidden />}
        title={`Nothing has happened to ${endpoint} yet`}
        description="Answered requests, what monitors find and what loops decide appear here on one axis of time."
      />
    );
  }
  const open = (point: ChartPoint): void => {
    const { traffic, quality, decision } = behindPoint(story, point);
    if (traffic !== undefined) {
      const { start, end, version } = traffic;
      const search = { endpoint, from: instantOf(start), until: instantOf(end), version };
      void navigate({ to: '/trace', search });
    } else if (quality !== undefined) {
      const params = { monitor: endpoint, evaluation: quality.evaluation };
      void navigate({ to: '/monitors/$monitor/evaluations/$evaluation', params });
    } else if (decision !== undefined) {
      const { of } = decision;
      if ('loop' in of) {
        const params = { loop: of.loop, decision: String(of.decision) };
        void navigate({ to: '/loop/$loop/decisions/$decision', params });
      } else {
        const search = { revision: of.revision };
        void navigate({ to: '/endpoints/$endpoint', params: { endpoint: of.endpoint }, search });
      }
    }
  };
  return (
    <Stack gap="sm">
      <Chart
        name={`What happened to ${endpoint}`}
        description={describe(story)}
        option={drawn.option}
        height={drawn.height}
        rows={drawn.rows}
        onPoint={open}
      />
      <Text size="xs" c="dimmed">
        {`Domain clock, UTC.${story.quality.length === 0 ? '' : ' Quality as evaluations found it, with bounds at 95 % from how days differ; red: a warning or an alert.'} A click on a point opens what is behind it.`}
      </Text>
      <DecisionsList decisions={story.decisions} />
    </Stack>
  );
}

function describe({ versions, traffic, quality, decisions }: Story): string {
  const parts = versions.map((version) => {
    const own = traffic.filter((one) => one.version === version);
    const requests = own.reduce((sum, one) => sum + one.requests, 0);
    const newest = quality.findLast((one) => one.version === version);
    const how = newest === undefined ? '' : `, ${newest.metric} ${formatValue(newest.value)}`;
    return `v${version} ${formatCounted(requests, 'request')}${how}`;
  });
  return `${parts.join('; ')}; ${formatCount(decisions.length)} decisions`;
}

function rowsOf({ traffic, quality, decisions }: Story) {
  const at = instantOf;
  return {
    header: ['time (domain clock)', 'what', 'version', 'value', 'lower', 'upper', 'reason'],
    rows: [
      ...traffic.map((one) => [
        at(one.start),
        'requests',
        one.version,
        one.requests,
        null,
        null,
        null,
      ]),
      ...quality.map((one) => [
        at(one.at),
        one.metric,
        one.version,
        one.value,
        one.lower,
        one.upper,
        null,
      ]),
      ...decisions.map((one) => [at(one.at), one.what, null, null, null, null, one.reason]),
    ],
  };
}

function instantOf(ms: number): string {
  return formatInstant(micros(ms * 1000));
}
