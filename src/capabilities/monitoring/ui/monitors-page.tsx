import { Stack, Title } from '@mantine/core';
import { IconActivityHeartbeat } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { DataTable, type Column } from '../../../web/kit/data-table.tsx';
import { Instant } from '../../../web/kit/instant.tsx';
import { PageLink } from '../../../web/kit/link.tsx';
import { Loaded } from '../../../web/kit/loaded.tsx';
import { NotDeclared } from '../../../web/kit/not-declared.tsx';
import { PageHeader } from '../../../web/kit/page-header.tsx';
import { Card } from '../../../web/kit/section.tsx';
import { StatusBadge } from '../../../web/kit/status-badge.tsx';
import { useRoutePages } from '../../../web/kit/use-route.ts';
import { listMonitors, type CheckState, type Monitor } from '../contract.ts';
import { countsOf, STATES, toneOf, wordOf } from './check-words.ts';
import { FindingsTable, foundIn } from './findings-table.tsx';

const MONITORS_A_PAGE = 200;

function stateText({ latest }: Monitor): string {
  return latest === null ? 'not evaluated yet' : wordOf(latest.state);
}

function counted(state: CheckState): Column<Monitor> {
  const count = ({ latest }: Monitor): number | null =>
    latest === null ? null : (countsOf(latest.checks).get(state) ?? 0);
  return {
    id: state,
    header: wordOf(state),
    isNumeric: true,
    value: count,
    cell: (monitor) => {
      const found = count(monitor);
      if (found === null || found === 0) return found;
      return (
        <PageLink
          to="/monitors/$monitor"
          params={{ monitor: monitor.name }}
          search={{ show: state }}
        >
          {String(found)}
        </PageLink>
      );
    },
  };
}

const COLUMNS: readonly Column<Monitor>[] = [
  {
    id: 'name',
    header: 'Monitor',
    value: ({ name }) => name,
    cell: ({ name }) => (
      <PageLink to="/monitors/$monitor" params={{ monitor: name }} fw={500}>
        {name}
      </PageLink>
    ),
  },
  {
    id: 'state',
    header: 'State',
    value: (monitor) =>
      `${STATES.indexOf(monitor.latest?.state ?? 'no_data')} ${stateText(monitor)}`,
    cell: (monitor) => (
      <StatusBadge tone={monitor.latest === null ? 'plain' : toneOf(monitor.latest.state)}>
        {stateText(monitor)}
      </StatusBadge>
    ),
  },
  counted('alert'),
  counted('warn'),
  counted('too_few_labels'),
  counted('no_data'),
  {
    id: 'at',
    header: 'As of (domain clock)',
    value: ({ latest }) => latest?.at ?? null,
    cell: ({ name, latest }) =>
      latest === null ? null : (
        <PageLink
          to="/monitors/$monitor/evaluations/$evaluation"
          params={{ monitor: name, evaluation: latest.id }}
        >
          <Instant value={latest.at} clock="domain" />
        </PageLink>
      ),
  },
  {
    id: 'next',
    header: 'Next (domain clock)',
    value: ({ next }) => next,
    cell: ({ next }) => (next === null ? 'when asked' : <Instant value={next} clock="domain" />),
  },
];

/** The health of everything that is watched, and what needs a look. */
export function MonitorsPage(): ReactNode {
  const monitors = useRoutePages(
    listMonitors,
    { query: { limit: MONITORS_A_PAGE } },
    { subjects: ['monitor'] },
  );
  return (
    <>
      <PageHeader title="Monitors" about="Quality, drift, labels, traffic: what was found" />
      <Loaded query={{ ...monitors, data: monitors.items }} height={300}>
        {(items) =>
          items.length === 0 ? (
            <NoMonitor />
          ) : (
            <Stack gap="md">
              <Card label="Health">
                <DataTable
                  name="Health"
                  heading={<Title order={2}>Health by monitor</Title>}
                  columns={COLUMNS}
                  rows={items}
                  rowId={({ name }) => name}
                  minWidth={760}
                  canFilter={items.length > 6}
                  more={monitors}
                />
              </Card>
              <Card label="What needs a look">
                <NeedsLook monitors={items} />
              </Card>
            </Stack>
          )
        }
      </Loaded>
    </>
  );
}

function NeedsLook({ monitors }: { readonly monitors: readonly Monitor[] }): ReactNode {
  const found = monitors.flatMap(({ latest }) =>
    latest === null ? [] : foundIn(latest, ({ state }) => state === 'alert' || state === 'warn'),
  );
  if (found.length === 0) {
    return (
      <>
        <Title order={2} mb="xs">
          What needs a look
        </Title>
        Nothing: the newest evaluations found no alert and nothing to warn of.
      </>
    );
  }
  return (
    <FindingsTable name="Needs a look" heading="What needs a look" found={found} withMonitor />
  );
}

const EXAMPLE = `monitors:
  ENDPOINT: { auto: true, quality: { metric: auc, window: 7d, drop: 0.02 } }`;

function NoMonitor(): ReactNode {
  return (
    <NotDeclared
      heading="Nothing is watched yet"
      icon={<IconActivityHeartbeat aria-hidden />}
      title="No monitor is declared"
      description="Write a section monitors into millwright.yaml with the name of an endpoint, which is first looked at on midnight UTC of the domain clock"
      example={EXAMPLE}
    />
  );
}
