import { Text, Title } from '@mantine/core';
import { useMemo, type ReactNode } from 'react';
import { DataTable, type Column } from '../../../web/kit/data-table.tsx';
import { formatCounted } from '../../../web/kit/format.ts';
import { Instant } from '../../../web/kit/instant.tsx';
import { PageLink } from '../../../web/kit/link.tsx';
import { Loaded } from '../../../web/kit/loaded.tsx';
import { Card } from '../../../web/kit/section.tsx';
import { StatusBadge } from '../../../web/kit/status-badge.tsx';
import { useRoutePages } from '../../../web/kit/use-route.ts';
import { listEvaluations } from '../contract.ts';
import { alertEpisodes, type AlertEpisode } from './alert-episodes.ts';
import { topicOf } from './check-words.ts';
import classes from './monitors.module.css';

const EVALUATIONS_A_PAGE = 200;
const ROWS_SHOWN = 10;

/** Alerts that fire now and those that are over, from what evaluations found. */
export function AlertsSection({ monitor }: { readonly monitor: string }): ReactNode {
  const evaluations = useRoutePages(
    listEvaluations,
    { params: { monitor }, query: { limit: EVALUATIONS_A_PAGE } },
    { subjects: [`monitor/${monitor}`] },
  );
  const { items } = evaluations;
  const episodes = useMemo(() => alertEpisodes(items ?? []), [items]);
  const columns = useMemo(() => columnsOf(monitor), [monitor]);
  const heading = <Title order={2}>Alerts, now and past</Title>;
  return (
    <Card label="Alerts">
      <Loaded query={{ ...evaluations, data: items }} height={120}>
        {(read) =>
          episodes.length === 0 ? (
            <>
              {heading}
              <Text size="sm" mt="xs">
                {`None in ${formatCounted(read.length, 'evaluation')}.`}
              </Text>
            </>
          ) : (
            <DataTable
              name="Alerts"
              heading={heading}
              columns={columns}
              rows={episodes}
              rowId={({ kind, subject, version, since, evaluation }) =>
                [kind, subject, version ?? '', since, evaluation].join(' ')
              }
              pageSize={ROWS_SHOWN}
              minWidth={820}
              canFilter={episodes.length > ROWS_SHOWN}
              more={evaluations}
              moreLabel="Read older evaluations"
            />
          )
        }
      </Loaded>
    </Card>
  );
}

function columnsOf(monitor: string): readonly Column<AlertEpisode>[] {
  return [
    {
      id: 'state',
      header: 'State',
      value: ({ until }) => (until === null ? 'fires' : 'over'),
      cell: ({ until }) => (
        <StatusBadge tone={until === null ? 'bad' : 'plain'}>
          {until === null ? 'fires' : 'over'}
        </StatusBadge>
      ),
    },
    {
      id: 'what',
      header: 'What',
      value: topicOf,
      cell: (episode) => (
        <PageLink
          to="/monitors/$monitor/evaluations/$evaluation"
          params={{ monitor, evaluation: episode.evaluation }}
          title="The evaluation that found it"
        >
          {topicOf(episode)}
        </PageLink>
      ),
    },
    {
      id: 'version',
      header: 'Version',
      value: ({ version }) => (version === null ? null : `v${version}`),
    },
    {
      id: 'since',
      header: 'Since (domain clock)',
      value: ({ since }) => since,
      cell: ({ since }) => <Instant value={since} clock="domain" />,
    },
    {
      id: 'until',
      header: 'Until (domain clock)',
      value: ({ until }) => until,
      cell: ({ until }) => (until === null ? null : <Instant value={until} clock="domain" />),
    },
    {
      id: 'says',
      header: 'Found',
      value: ({ explanation }) => explanation,
      cell: ({ explanation }) => <div className={classes['sentence']}>{explanation}</div>,
    },
  ];
}
