import { Group, Stack, Table, Text } from '@mantine/core';
import { useMemo, type ReactNode } from 'react';
import { Chart } from '../../../web/kit/chart.tsx';
import { formatCount, formatShare, formatValue } from '../../../web/kit/format.ts';
import { SaveCsv } from '../../../web/kit/save-csv.tsx';
import type { Compared, Figures } from './evidence.ts';
import { intervalOption } from './interval.ts';

const INTERVAL_HEIGHT = 96;

interface ComparedSectionProps {
  readonly compared: Compared;
  readonly metric: string;
  readonly champion: number;
  readonly challenger: number;
}

/** Both versions on the very same rows, and how sure the difference is. */
export function ComparedFigures(props: ComparedSectionProps): ReactNode {
  const { compared, metric, champion, challenger } = props;
  const { rows, positives, blocks, improvement } = compared;
  return (
    <Stack gap="xs">
      <Group justify="space-between" gap="xs">
        <Text size="sm">
          {`${formatCount(rows)} rows with matured labels, ${formatCount(positives)} of them 1, on ${formatCount(blocks)} days`}
        </Text>
        <SaveCsv
          name="Figures of both versions"
          header={['figure', `challenger v${challenger}`, `champion v${champion}`]}
          rows={() =>
            FIGURES.map(({ word, of }) => [word, of(compared.challenger), of(compared.champion)])
          }
        />
      </Group>
      <Table.ScrollContainer minWidth={250} type="native">
        <Table aria-label="Figures of both versions" verticalSpacing={4}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th />
              <Table.Th ta="right">{`challenger v${challenger}`}</Table.Th>
              <Table.Th ta="right">{`champion v${champion}`}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {FIGURES.map(({ word, of, key }) => (
              <Table.Tr key={word}>
                <Table.Td fw={key === metric ? 600 : 400}>
                  {key === metric ? `${word} (judged by)` : word}
                </Table.Td>
                <Table.Td ta="right">{of(compared.challenger)}</Table.Td>
                <Table.Td ta="right">{of(compared.champion)}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      {improvement !== null && <Interval improvement={improvement} metric={metric} />}
    </Stack>
  );
}

const FIGURES: readonly {
  readonly word: string;
  readonly key: string;
  readonly of: (figures: Figures) => string;
}[] = [
  { word: 'AUC', key: 'auc', of: ({ auc }) => text(auc) },
  { word: 'Log-loss', key: 'log_loss', of: ({ logLoss }) => text(logLoss) },
  { word: 'Mean score', key: 'mean_score', of: ({ meanScore }) => text(meanScore) },
  { word: 'Rows without a score', key: 'missing', of: ({ missing }) => formatCount(missing) },
];

function text(value: number | null): string {
  return value === null ? '–' : formatValue(Number(value.toFixed(4)));
}

function Interval(props: {
  readonly improvement: NonNullable<Compared['improvement']>;
  readonly metric: string;
}): ReactNode {
  const { improvement, metric } = props;
  const { value, lower, upper, level } = improvement;
  const option = useMemo(() => intervalOption(improvement), [improvement]);
  const side = `one-sided at ${formatShare(level, 1)}, from how days differ`;
  const how = value < 0 ? `worse by ${text(-value)}` : `better by ${text(value)}`;
  const words = `${how} in ${metric}; bounds ${text(lower)} and ${text(upper)}, ${side}`;
  return (
    <>
      <Chart
        name="Difference of the versions"
        description={words}
        option={option}
        height={INTERVAL_HEIGHT}
        rows={{
          header: ['better by', 'lower', 'upper', 'level'],
          rows: [[value, lower, upper, level]],
        }}
      />
      <Text size="xs" c="dimmed">
        {`${words}. Right of the dashed line the challenger is better.`}
      </Text>
    </>
  );
}
