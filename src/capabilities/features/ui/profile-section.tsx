import { Grid, Text, Title, UnstyledButton } from '@mantine/core';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useMemo, type ReactNode } from 'react';
import { Chart } from '../../../web/kit/chart.tsx';
import { DataTable, type Column } from '../../../web/kit/data-table.tsx';
import {
  formatCount,
  formatCounted,
  formatShare,
  formatShort,
  formatValue,
} from '../../../web/kit/format.ts';
import { Card } from '../../../web/kit/section.tsx';
import type { FeatureProfile } from '../contract.ts';
import { histogramBins, histogramOption } from './histogram.ts';
import classes from './profile-section.module.css';

const ROWS_SHOWN = 12;

interface ProfileSectionProps {
  readonly profile: readonly FeatureProfile[];
  readonly rows: number;
}

/** Every feature of a training set in numbers, and how the chosen one is spread. */
export function ProfileSection({ profile, rows }: ProfileSectionProps): ReactNode {
  const { feature } = useSearch({ from: '/features/training-sets/$name/versions/$version' });
  const navigate = useNavigate({ from: '/features/training-sets/$name/versions/$version' });
  const chosen = profile.find(({ name }) => name === feature) ?? profile[0];
  const columns = useMemo(
    () =>
      profileColumns({
        rows,
        chosen: chosen?.name,
        choose: (name) => void navigate({ search: { feature: name }, resetScroll: false }),
      }),
    [rows, chosen?.name, navigate],
  );
  if (chosen === undefined) return null;
  return (
    <Card label="Features">
      <Grid gap="lg">
        <Grid.Col span={{ base: 12, lg: 7 }}>
          <DataTable
            name="Features"
            heading={<Title order={2}>Features</Title>}
            columns={columns}
            rows={profile}
            rowId={({ name }) => name}
            pageSize={ROWS_SHOWN}
            minWidth={560}
            canFilter={profile.length > ROWS_SHOWN}
          />
        </Grid.Col>
        <Grid.Col span={{ base: 12, lg: 5 }}>
          <Title order={3} mb="xs" style={{ overflowWrap: 'anywhere' }}>
            {chosen.name}
          </Title>
          <Histogram profile={chosen} />
        </Grid.Col>
      </Grid>
    </Card>
  );
}

interface ColumnOptions {
  readonly rows: number;
  readonly chosen: string | undefined;
  readonly choose: (name: string) => void;
}

function profileColumns(options: ColumnOptions): readonly Column<FeatureProfile>[] {
  const { rows, chosen, choose } = options;
  const numeric = (id: 'min' | 'mean' | 'max', header: string): Column<FeatureProfile> => ({
    id,
    header,
    isNumeric: true,
    value: (one) => one[id],
    cell: (one) => (one[id] === null ? null : formatValue(one[id])),
  });
  return [
    {
      id: 'name',
      header: 'Feature',
      value: ({ name }) => name,
      cell: ({ name }) => (
        <UnstyledButton
          className={classes['choose']}
          aria-pressed={name === chosen}
          title={`Draw ${name}`}
          onClick={() => {
            choose(name);
          }}
        >
          {formatShort(name, 40)}
        </UnstyledButton>
      ),
    },
    {
      id: 'nulls',
      header: 'Missing',
      isNumeric: true,
      value: ({ nulls }) => nulls,
      cell: ({ nulls }) => (
        <span title={`${formatCount(nulls)} of ${formatCount(rows)}`}>
          {formatShare(nulls, rows)}
        </span>
      ),
    },
    numeric('min', 'Least'),
    numeric('mean', 'Mean'),
    numeric('max', 'Most'),
  ];
}

function Histogram({ profile }: { readonly profile: FeatureProfile }): ReactNode {
  const bins = useMemo(() => histogramBins(profile), [profile]);
  const option = useMemo(() => histogramOption(bins), [bins]);
  if (bins.length === 0 || profile.min === profile.max) {
    return (
      <Text size="sm" c="dimmed">
        {profile.min === null ? 'Every value is missing.' : `Every value is ${profile.min}.`}
      </Text>
    );
  }
  const inBins = `${formatCount(profile.count)} values in ${formatCounted(bins.length, 'bin')}`;
  const text = `${inBins}; the area over a stretch is its share of them`;
  return (
    <>
      <Chart
        name={`Histogram of ${profile.name}`}
        description={text}
        option={option}
        rows={{
          header: ['from', 'to', 'values'],
          rows: bins.map(({ from, to, count }) => [from, to, count]),
        }}
      />
      <Text size="xs" c="dimmed">
        {text}
      </Text>
    </>
  );
}
