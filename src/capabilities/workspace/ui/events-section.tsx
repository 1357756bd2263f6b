import {
  Button,
  Code,
  EmptyState,
  Group,
  Popover,
  Stack,
  Text,
  Title,
  UnstyledButton,
} from '@mantine/core';
import { IconHistory, IconX } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { DataTable, type Column } from '../../../web/kit/data-table.tsx';
import { Instant } from '../../../web/kit/instant.tsx';
import { PageLink } from '../../../web/kit/link.tsx';
import { Loaded } from '../../../web/kit/loaded.tsx';
import { Card } from '../../../web/kit/section.tsx';
import { useRoutePages } from '../../../web/kit/use-route.ts';
import { listEvents, type Event } from '../contract.ts';
import classes from './events-section.module.css';

/** Events of one read; older ones are asked for by the reader. */
const EVENTS_A_PAGE = 200;
/** The newest few; the page is about now, and the rest is a click away. */
const ROWS_SHOWN = 12;

const COLUMNS: readonly Column<Event>[] = [
  { id: 'seq', header: 'No.', isNumeric: true, value: ({ seq }) => seq },
  {
    id: 'wall',
    header: 'Time (wall clock)',
    value: ({ wall }) => wall,
    cell: ({ wall, now }) => (
      <span title={`${now} (domain clock, UTC)`}>
        <Instant value={wall} clock="wall" />
      </span>
    ),
  },
  { id: 'kind', header: 'What', value: ({ kind }) => kind },
  {
    id: 'subject',
    header: 'To what',
    value: ({ subject }) => subject,
    cell: ({ subject }) => (
      <PageLink
        to="/"
        search={(search) => ({ ...search, subject })}
        resetScroll={false}
        underline="hover"
        title={`Only events of ${subject}`}
      >
        {subject}
      </PageLink>
    ),
  },
  { id: 'actor', header: 'By', value: ({ actor }) => actor },
  {
    id: 'data',
    header: 'Details',
    value: ({ data }) => JSON.stringify(data),
    cell: ({ data }) => <Details data={data} />,
  },
];

/** What happened and was decided, newest first. */
export function EventsSection({ subject }: { readonly subject: string | undefined }): ReactNode {
  const navigate = useNavigate({ from: '/' });
  const events = useRoutePages(
    listEvents,
    { query: { limit: EVENTS_A_PAGE, ...(subject === undefined ? {} : { subject }) } },
    { subjects: [subject ?? ''] },
  );
  const heading = (
    <Group gap="xs">
      <Title order={2}>Events</Title>
      {subject !== undefined && (
        <Button
          size="compact-xs"
          variant="light"
          rightSection={<IconX size={12} aria-hidden />}
          aria-label={`Show events of everything, not only of ${subject}`}
          onClick={() =>
            void navigate({
              search: (search) => ({ ...search, subject: undefined }),
              resetScroll: false,
            })
          }
        >
          {subject}
        </Button>
      )}
    </Group>
  );
  return (
    <Card label="Events">
      <Loaded query={{ ...events, data: events.items }} height={200}>
        {(items) =>
          items.length === 0 ? (
            <NoEvents heading={heading} />
          ) : (
            <DataTable
              name="Events"
              heading={heading}
              columns={COLUMNS}
              rows={items}
              rowId={({ seq }) => String(seq)}
              pageSize={ROWS_SHOWN}
              minWidth={760}
              canFilter
              more={events}
            />
          )
        }
      </Loaded>
    </Card>
  );
}

function NoEvents({ heading }: { readonly heading: ReactNode }): ReactNode {
  return (
    <Stack gap="sm">
      {heading}
      <EmptyState
        icon={<IconHistory aria-hidden />}
        title="Nothing has happened yet"
        description="Every change appears here with who made it: models registered, routes published, tables written."
      />
    </Stack>
  );
}

function Details({ data }: { readonly data: Event['data'] }): ReactNode {
  const entries = Object.entries(data);
  if (entries.length === 0) return null;
  const line = entries.map(([key, value]) => `${key} ${brief(value)}`).join(' · ');
  return (
    <Popover position="left" withArrow shadow="md">
      <Popover.Target>
        <UnstyledButton className={classes['details']} title="Show all details">
          <Text inherit truncate c="dimmed" component="span" display="block">
            {line}
          </Text>
        </UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown>
        <Code block className={classes['json']}>
          {JSON.stringify(data, null, 2)}
        </Code>
      </Popover.Dropdown>
    </Popover>
  );
}

function brief(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
