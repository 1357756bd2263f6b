import { EmptyState, Group, Select, Stack, Text } from '@mantine/core';
import { IconTimeline } from '@tabler/icons-react';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useMemo, type ReactNode } from 'react';
import type { RouteReply } from '../../../base/route.ts';
import { formatInstant, micros } from '../../../base/time.ts';
import { Chart, type ChartPoint } from '../../../web/kit/chart.tsx';
import { chartTime } from '../../../web/kit/day-axis.ts';
import { formatCount, formatCounted, formatValue } from '../../../web/kit/format.ts';
import { Loaded } from '../../../web/kit/loaded.tsx';
import { Section } from '../../../web/kit/section.tsx';
import type { listDecisions, Loop } from '../../loop/contract.ts';
import type { FixedHistory, listEvaluations, Monitor } from '../../monitoring/contract.ts';
import type { TrafficHistory } from '../../predictions/contract.ts';
import type { Endpoint, listRevisions } from '../../serving/contract.ts';
import { DecisionsList } from './decisions-list.tsx';
import { StayedNote } from './stayed-note.tsx';
import { spanMs, storyOf, type Story } from './story.ts';
import { behindPoint, storyHeight, storyOption } from './story-option.ts';
import { useStayed } from './use-stayed.ts';
import { useStory } from './use-story.ts';

const HOUR_MS = 3_600_000;

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
  const { stayed } = useSearch({ from: '/' });
  const beside = useStayed(endpoint, { evaluations: read.data?.[0]?.items ?? [], asked: stayed });
  return (
    <Section
      title="What happened"
      aside={
        <Group gap="xs">
          {beside.versions.length > 0 && (
            <Select
              size="xs"
              w={170}
              aria-label="Version told of as if it had stayed"
              allowDeselect={false}
              data={[
                ...beside.versions.map((one) => ({
                  value: String(one),
                  label: `had v${one} stayed`,
                })),
                { value: 'none', label: 'only what was served' },
              ]}
              value={String(beside.version ?? 'none')}
              onChange={(value) =>
                void navigate({
                  search: (was) => ({ ...was, stayed: value === 'none' ? value : Number(value) }),
                  resetScroll: false,
                })
              }
            />
          )}
          <Select
            size="xs"
            aria-label="Endpoint told of"
            searchable
            allowDeselect={false}
            data={endpoints.map(({ name }) => name)}
            value={endpoint}
            onChange={(value) =>
              void navigate({
                search: (was) => ({ ...was, endpoint: value ?? undefined, stayed: undefined }),
                resetScroll: false,
              })
            }
          />
        </Group>
      }
    >
      <Loaded query={read} height={420}>
        {([evaluations, history, decisions, revisions]) => (
          <Told
            endpoint={endpoint}
            evaluations={evaluations}
            everyMs={spanMs(monitor?.spec.every ?? '1d')}
            history={history}
            fixed={beside.fixed ?? null}
            note={beside.version === null ? null : <StayedNote {...beside} />}
            decisions={decisions}
            revisions={revisions}
            hour={Math.ceil(chartTime(now) / HOUR_MS)}
          />
        )}
      </Loaded>
    </Section>
  );
}

interface ToldProps {
  readonly endpoint: string;
  readonly evaluations: RouteReply<typeof listEvaluations> | null;
  readonly everyMs: number;
  readonly history: TrafficHistory | null;
  readonly fixed: FixedHistory | null;
  /** What that is, in words. */
  readonly note: ReactNode;
  readonly decisions: RouteReply<typeof listDecisions> | null;
  readonly revisions: RouteReply<typeof listRevisions>;
  /** The domain clock's, so that nothing is drawn again only because time goes on. */
  readonly hour: number;
}

function Told(props: ToldProps): ReactNode {
  const { endpoint, evaluations, everyMs, history, fixed, decisions, revisions, hour } = props;
  const story = useMemo(
    () =>
      storyOf({
        evaluations: evaluations?.items ?? [],
        everyMs,
        history,
        fixed,
        decisions: decisions?.items ?? [],
        revisions: revisions.items,
        until: hour * HOUR_MS,
      }),
    [evaluations, everyMs, history, fixed, decisions, revisions, hour],
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
    const { traffic, quality, stayed, decision } = behindPoint(story, point);
    if (traffic !== undefined) {
      const { start, end, version } = traffic;
      const search = { endpoint, from: instantOf(start), until: instantOf(end), version };
      void navigate({ to: '/trace', search });
    } else if (stayed !== undefined) {
      const search = { endpoint, from: instantOf(stayed.from), until: instantOf(stayed.until) };
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
        {`Domain clock, UTC.${story.quality.length === 0 ? '' : ' Quality as evaluations found it, with the bounds at 95 % of its loss against the first weeks, from how days differ; red: a warning or an alert.'} A click on a point opens what is behind it.`}
      </Text>
      {props.note}
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

function rowsOf({ traffic, quality, stayed, decisions }: Story) {
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
      ...(stayed?.points ?? []).map((one) => [
        at(one.at),
        `${stayed!.metric} had it stayed`,
        stayed!.version,
        one.fixed,
        null,
        null,
        `served ${one.served}, better by ${one.better} (${one.lower} to ${one.upper})`,
      ]),
      ...decisions.map((one) => [at(one.at), one.what, null, null, null, null, one.reason]),
    ],
  };
}

function instantOf(ms: number): string {
  return formatInstant(micros(ms * 1000));
}
