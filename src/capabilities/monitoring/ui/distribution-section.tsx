import { Grid, Group, Select, Stack, Text, Title } from '@mantine/core';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useMemo, type ReactNode } from 'react';
import { Chart, type ChartPoint } from '../../../web/kit/chart.tsx';
import { formatCount, formatCounted } from '../../../web/kit/format.ts';
import { Instant } from '../../../web/kit/instant.tsx';
import { PageLink } from '../../../web/kit/link.tsx';
import { Loaded } from '../../../web/kit/loaded.tsx';
import { Section } from '../../../web/kit/section.tsx';
import { useRoute } from '../../../web/kit/use-route.ts';
import { columnHistory, type Check, type ColumnHistory } from '../contract.ts';
import { isOfColumn } from './check-words.ts';
import {
  DISTANCE,
  distanceOption,
  distanceRows,
  drawnDays,
  foundOn,
  histogramOption,
  histogramRows,
} from './column-chart.ts';
import { dayText } from './day-range.ts';
import { DistanceTable } from './distance-table.tsx';
import { four } from './quality-chart.ts';

const CHART_HEIGHT = 280;

interface DistributionSectionProps {
  readonly monitor: string;
  /** Days before it are not drawn. */
  readonly from: string;
  /** Of the newest evaluation, those that are ok as well. */
  readonly checks: readonly Check[];
}

/** One column day by day against the rows that a version was trained on. */
export function DistributionSection({
  monitor,
  from,
  checks,
}: DistributionSectionProps): ReactNode {
  const search = useSearch({ from: '/monitors/$monitor' });
  const columns = checks.filter((check) => isOfColumn(check));
  // What moved most is what somebody comes to see.
  const first = columns
    .filter(({ kind }) => kind === 'drift' || kind === 'score_drift')
    .toSorted((a, b) => excess(b) - excess(a))[0];
  const column = search.column ?? first?.subject;
  const version = search.version ?? first?.version ?? undefined;
  if (column === undefined || version === undefined) {
    return (
      <Section title="A column against its training rows">
        <Text size="sm" c="dimmed">
          Nothing to compare with yet: columns are compared once a version answers that was made by
          a run which pins its training set.
        </Text>
      </Section>
    );
  }
  return (
    <Section
      title="A column against its training rows"
      aside={<Choice checks={columns} column={column} version={version} />}
    >
      <DistributionOf
        key={`${column} ${version}`}
        monitor={monitor}
        from={from}
        column={column}
        version={version}
      />
    </Section>
  );
}

/** How many times its noise floor a distance is: a weekday's alone is large. */
function excess({ value, threshold }: Check): number {
  return value === null || threshold === null || threshold === 0 ? 0 : value / threshold;
}

interface ChoiceProps {
  readonly checks: readonly Check[];
  readonly column: string;
  readonly version: number;
}

function Choice({ checks, column, version }: ChoiceProps): ReactNode {
  const navigate = useNavigate({ from: '/monitors/$monitor' });
  const choose = (next: { column?: string; version?: number }): void => {
    void navigate({ search: (was) => ({ ...was, column, version, ...next }), resetScroll: false });
  };
  const names = [...new Set([column, ...checks.map(({ subject }) => subject)])].sort();
  const versions = [...new Set([version, ...checks.map((check) => check.version ?? version)])];
  return (
    <Group gap="xs">
      <Select
        size="xs"
        aria-label="Column"
        searchable
        allowDeselect={false}
        data={names}
        value={column}
        maw={260}
        onChange={(value) => {
          if (value !== null) choose({ column: value });
        }}
      />
      {versions.length > 1 && (
        <Select
          size="xs"
          w={80}
          aria-label="Version"
          allowDeselect={false}
          data={versions.map((one) => ({ value: String(one), label: `v${one}` }))}
          value={String(version)}
          onChange={(value) => {
            choose({ version: Number(value) });
          }}
        />
      )}
    </Group>
  );
}

function DistributionOf(props: {
  readonly monitor: string;
  readonly from: string;
  readonly column: string;
  readonly version: number;
}): ReactNode {
  const { monitor, from, column, version } = props;
  const history = useRoute(
    columnHistory,
    { params: { monitor }, query: { column, version, from } },
    { subjects: [`monitor/${monitor}`] },
  );
  return (
    <Loaded query={history} height={CHART_HEIGHT}>
      {(data) => <Drawn history={data} />}
    </Loaded>
  );
}

function Drawn({ history }: { readonly history: ColumnHistory }): ReactNode {
  const { day } = useSearch({ from: '/monitors/$monitor' });
  const navigate = useNavigate({ from: '/monitors/$monitor' });
  const { column, version, days } = history;
  const drawn = drawnDays(days);
  const chosen = drawn.find(({ from }) => dayText(from) === day) ?? drawn.at(-1);
  const bars = useMemo(
    () => (chosen === undefined ? null : histogramOption(history, chosen)),
    [history, chosen],
  );
  const course = useMemo(
    () => (chosen === undefined ? null : distanceOption(history, chosen)),
    [history, chosen],
  );
  if (chosen === undefined || bars === null || course === null) {
    return (
      <Text size="sm" c="dimmed">
        {`No request that v${version} answered in this time brought a value of ${column}.`}
      </Text>
    );
  }
  const open = ({ series, index }: ChartPoint): void => {
    const picked = series === DISTANCE ? drawn[index] : undefined;
    if (picked === undefined) return;
    const next = dayText(picked.from);
    void navigate({ search: (was) => ({ ...was, day: next }), resetScroll: false });
  };
  return (
    <Stack gap="sm">
      <Grid gap="lg">
        <Grid.Col span={{ base: 12, lg: 6 }}>
          <Title order={3} mb="xs" style={{ overflowWrap: 'anywhere' }}>
            {`${column}, ${dayText(chosen.from)}`}
          </Title>
          <Chart
            name={`Distribution of ${column}`}
            description={`${dayText(chosen.from)} beside the training rows; ${dayWords(history, chosen)}`}
            option={bars}
            height={CHART_HEIGHT}
            rows={histogramRows(history, chosen)}
          />
        </Grid.Col>
        <Grid.Col span={{ base: 12, lg: 6 }}>
          <Title order={3} mb="xs">
            Distance by day
          </Title>
          <Chart
            name={`Distance of ${column}`}
            description={`of ${formatCounted(drawn.length, 'day')} from the training rows, with the noise floor; choose a day in the table below`}
            option={course}
            height={CHART_HEIGHT}
            rows={distanceRows(history)}
            onPoint={open}
          />
        </Grid.Col>
      </Grid>
      <InWords history={history} day={chosen} />
    </Stack>
  );
}

/** What the charts show, where it is from, and the requests behind it. */
function InWords(props: {
  readonly history: ColumnHistory;
  readonly day: ColumnHistory['days'][number];
}): ReactNode {
  const { history, day: chosen } = props;
  const { monitor, version, reference } = history;
  return (
    <>
      <Text size="sm">
        {`${dayWords(history, chosen)} `}
        <PageLink
          to="/trace"
          search={{ endpoint: monitor, from: chosen.from, until: chosen.until, version }}
        >
          {`Its ${formatCounted(chosen.rows, 'request')}`}
        </PageLink>
      </Text>
      <Text size="xs" c="dimmed">
        {`Training rows: ${formatCount(reference.rows)} on ${formatCounted(reference.days, 'day')} from `}
        <Instant value={reference.from} clock="domain" />
        {' until before '}
        <Instant value={reference.until} clock="domain" withClock />. Bins hold about as many
        training rows each; the thin marks are the least and the greatest training day. Distance:
        Jensen-Shannon, 0 for alike to 1; red days are more than chance among all columns.
      </Text>
      <DistanceTable history={history} />
    </>
  );
}

/** What was found of a day, in words. */
function dayWords(history: ColumnHistory, day: ColumnHistory['days'][number]): string {
  const found = foundOn(history, day);
  const distance = `distance ${four(day.distance ?? 0)}`;
  if (found?.floor == null) return `${distance}, which no evaluation has judged.`;
  const verdict = found.isBreach ? 'it moved' : 'as days differ';
  return `${distance}; without drift it stays below ${four(found.floor)}: ${verdict}.`;
}
