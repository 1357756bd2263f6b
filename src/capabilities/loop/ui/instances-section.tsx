import { Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { DataTable, type Column } from '../../../web/kit/data-table.tsx';
import { Instant } from '../../../web/kit/instant.tsx';
import { PageLink } from '../../../web/kit/link.tsx';
import { Loaded } from '../../../web/kit/loaded.tsx';
import type { Tone } from '../../../web/kit/number-card.tsx';
import { Card } from '../../../web/kit/section.tsx';
import { StatusBadge } from '../../../web/kit/status-badge.tsx';
import { useRoutePages } from '../../../web/kit/use-route.ts';
import { listInstances, type Instance } from '../contract.ts';
import classes from './loop.module.css';

/** Where a link to this section leads. */
export const INSTANCES = 'instances';
const INSTANCES_A_PAGE = 100;
const ROWS_SHOWN = 8;

const TONES: Partial<Readonly<Record<Instance['state'], Tone>>> = {
  promoted: 'good',
  rolled_back: 'bad',
  rejected: 'bad',
  failed: 'bad',
  held: 'warn',
};

const COLUMNS: readonly Column<Instance>[] = [
  {
    id: 'startedAt',
    header: 'Began (domain clock)',
    value: ({ startedAt }) => startedAt,
    cell: ({ startedAt, id, loop }) => (
      <PageLink
        to="/loop"
        search={{ loop, instance: id }}
        resetScroll={false}
        title="Its decisions only"
      >
        <Instant value={startedAt} clock="domain" />
      </PageLink>
    ),
  },
  {
    id: 'state',
    header: 'State',
    value: ({ state }) => state.replaceAll('_', ' '),
    cell: ({ state }) => (
      <StatusBadge tone={TONES[state] ?? 'plain'}>{state.replaceAll('_', ' ')}</StatusBadge>
    ),
  },
  {
    id: 'challenger',
    header: 'Challenger',
    value: ({ challenger }) => (challenger === null ? null : `v${challenger}`),
    cell: ({ model, challenger }) => <VersionOf model={model} version={challenger} />,
  },
  {
    id: 'champion',
    header: 'Champion',
    value: ({ champion }) => `v${champion}`,
    cell: ({ model, champion }) => <VersionOf model={model} version={champion} />,
  },
  {
    id: 'causes',
    header: 'For',
    value: ({ causes }) => causes.map(({ says }) => says).join('; '),
    cell: ({ causes }) => (
      <div className={classes['reason']}>{causes.map(({ says }) => says).join('; ')}</div>
    ),
  },
  {
    id: 'endedAt',
    header: 'Ended (domain clock)',
    value: ({ endedAt }) => endedAt,
    cell: ({ endedAt }) =>
      endedAt === null ? 'under way' : <Instant value={endedAt} clock="domain" />,
  },
  { id: 'actor', header: 'By', value: ({ actor }) => actor },
];

function VersionOf(props: { readonly model: string; readonly version: number | null }): ReactNode {
  const { model, version } = props;
  if (version === null) return null;
  return (
    <PageLink to="/models/$model/versions/$version" params={{ model, version: String(version) }}>
      {`v${version}`}
    </PageLink>
  );
}

/** Each way from a cause to an end; none is shown while there is none. */
export function InstancesSection({ loop }: { readonly loop: string }): ReactNode {
  const instances = useRoutePages(
    listInstances,
    { params: { loop }, query: { limit: INSTANCES_A_PAGE } },
    { subjects: [`loop/${loop}`] },
  );
  return (
    <Loaded query={{ ...instances, data: instances.items }} height={160}>
      {(items) =>
        items.length === 0 ? null : (
          <Card label="Instances" id={INSTANCES}>
            <DataTable
              name="Instances"
              heading={<Title order={2}>Instances: from a cause to an end</Title>}
              columns={COLUMNS}
              rows={items}
              rowId={({ id }) => id}
              pageSize={ROWS_SHOWN}
              minWidth={900}
              more={instances}
            />
          </Card>
        )
      }
    </Loaded>
  );
}
