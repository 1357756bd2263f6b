import { Button, EmptyState, Group, SegmentedControl, Stack, Text, Title } from '@mantine/core';
import { IconHistory, IconX } from '@tabler/icons-react';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useMemo, type ReactNode } from 'react';
import { Chart, type ChartPoint } from '../../../web/kit/chart.tsx';
import { DataTable, type Column } from '../../../web/kit/data-table.tsx';
import { Instant } from '../../../web/kit/instant.tsx';
import { PageLink } from '../../../web/kit/link.tsx';
import { Loaded } from '../../../web/kit/loaded.tsx';
import { Card } from '../../../web/kit/section.tsx';
import { StatusBadge } from '../../../web/kit/status-badge.tsx';
import { useRoutePages, type PagedRoute } from '../../../web/kit/use-route.ts';
import { listDecisions, type Decision } from '../contract.ts';
import { about, isShown, SHOWN, type Shown } from './decision-kind.ts';
import { DECISIONS, timelineOption, timelineText } from './timeline.ts';
import classes from './loop.module.css';

const DECISIONS_A_PAGE = 200;
const ROWS_SHOWN = 15;
const CHART_HEIGHT = 190;

const COLUMNS: readonly Column<Decision>[] = [
  {
    id: 'at',
    header: 'Time (domain clock)',
    value: ({ at }) => at,
    cell: ({ at }) => <Instant value={at} clock="domain" />,
  },
  {
    id: 'kind',
    header: 'Decided',
    value: ({ kind }) => about(kind).word,
    cell: ({ id, loop, kind }) => (
      <PageLink
        to="/loop/$loop/decisions/$decision"
        params={{ loop, decision: String(id) }}
        title="Its evidence"
      >
        <StatusBadge tone={about(kind).tone}>{about(kind).word}</StatusBadge>
      </PageLink>
    ),
  },
  {
    id: 'reason',
    header: 'Why',
    value: ({ reason }) => reason,
    cell: ({ reason }) => <div className={classes['reason']}>{reason}</div>,
  },
  { id: 'actor', header: 'By', value: ({ actor }) => actor },
  {
    id: 'id',
    header: 'No.',
    isNumeric: true,
    value: ({ id }) => id,
    cell: ({ id, loop }) => (
      <PageLink to="/loop/$loop/decisions/$decision" params={{ loop, decision: String(id) }}>
        {String(id)}
      </PageLink>
    ),
  },
];

/** Decisions over domain time; each opens what it rests on. */
export function TimelineSection({ loop }: { readonly loop: string }): ReactNode {
  const { instance } = useSearch({ from: '/loop' });
  const decisions = useRoutePages(
    listDecisions,
    {
      params: { loop },
      query: { limit: DECISIONS_A_PAGE, ...(instance === undefined ? {} : { instance }) },
    },
    { subjects: [`loop/${loop}`] },
  );
  return (
    <Card label="Decisions">
      <Loaded query={{ ...decisions, data: decisions.items }} height={320}>
        {(items) =>
          items.length === 0 ? (
            <NothingDecided />
          ) : (
            <Timeline loop={loop} items={items} more={decisions} />
          )
        }
      </Loaded>
    </Card>
  );
}

interface TimelineProps {
  readonly loop: string;
  readonly items: readonly Decision[];
  readonly more: PagedRoute<Decision>;
}

function Timeline({ loop, items, more }: TimelineProps): ReactNode {
  const { show = 'all' } = useSearch({ from: '/loop' });
  const navigate = useNavigate({ from: '/loop' });
  const shown = useMemo(() => items.filter((one) => isShown(one, show)), [items, show]);
  const option = useMemo(() => timelineOption(shown), [shown]);
  const open = ({ series, index }: ChartPoint): void => {
    const decision = series === DECISIONS ? shown.toReversed()[index] : undefined;
    if (decision === undefined) return;
    const params = { loop, decision: String(decision.id) };
    void navigate({ to: '/loop/$loop/decisions/$decision', params });
  };
  return (
    <Stack gap="sm">
      <Chart
        name={`Decisions of ${loop}`}
        description={timelineText(shown)}
        option={option}
        height={CHART_HEIGHT}
        rows={{
          header: ['time (domain clock)', 'decision', 'by', 'reason'],
          rows: shown.map(({ at, kind, actor, reason }) => [at, kind, actor, reason]),
        }}
        onPoint={open}
      />
      <DataTable
        name="Decisions"
        heading={<Heading show={show} />}
        columns={COLUMNS}
        rows={shown}
        rowId={({ id }) => String(id)}
        pageSize={ROWS_SHOWN}
        minWidth={640}
        canFilter
        more={more}
      />
    </Stack>
  );
}

function Heading({ show }: { readonly show: Shown }): ReactNode {
  const { instance } = useSearch({ from: '/loop' });
  const navigate = useNavigate({ from: '/loop' });
  return (
    <Group gap="sm">
      <Title order={2}>Decisions</Title>
      <SegmentedControl
        size="xs"
        aria-label="Decisions shown"
        data={[...SHOWN]}
        value={show}
        onChange={(value) => {
          const next = SHOWN.find((one) => one === value);
          void navigate({
            search: (was) => ({ ...was, show: next === 'all' ? undefined : next }),
            resetScroll: false,
          });
        }}
      />
      {instance !== undefined && (
        <Button
          size="compact-xs"
          variant="light"
          rightSection={<IconX size={12} aria-hidden />}
          aria-label={`Show decisions of every instance, not only of ${instance}`}
          onClick={() =>
            void navigate({
              search: (was) => ({ ...was, instance: undefined }),
              resetScroll: false,
            })
          }
        >
          one instance
        </Button>
      )}
    </Group>
  );
}

function NothingDecided(): ReactNode {
  return (
    <Stack gap="sm">
      <Title order={2}>Decisions</Title>
      <EmptyState
        icon={<IconHistory aria-hidden />}
        title="Nothing was decided yet"
        description="Every decision appears here with its reason and what it rests on: the first comes with an evaluation of the monitor that finds something, or when somebody asks."
      />
      <Text size="sm" c="dimmed">
        What it waits for stands above.
      </Text>
    </Stack>
  );
}
