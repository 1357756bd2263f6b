import { EmptyState, Stack, Text } from '@mantine/core';
import { IconBinaryTree } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { DataTable, type Column } from '../../../web/kit/data-table.tsx';
import { formatMicroseconds, formatShort } from '../../../web/kit/format.ts';
import { Instant } from '../../../web/kit/instant.tsx';
import { PageLink } from '../../../web/kit/link.tsx';
import { Loaded } from '../../../web/kit/loaded.tsx';
import { StatusBadge, statusTone } from '../../../web/kit/status-badge.tsx';
import { useRoutePages } from '../../../web/kit/use-route.ts';
import { listPredictions, type Prediction } from '../../predictions/contract.ts';

const REQUESTS_A_PAGE = 100;
const POLL_MS = 3000;
/** A whole `req_` id; longer ones are the client's own. */
const ID_SHOWN = 36;

const COLUMNS: readonly Column<Prediction>[] = [
  {
    id: 'now',
    header: 'Time (domain clock)',
    value: ({ now }) => now,
    cell: ({ now }) => <Instant value={now} clock="domain" />,
  },
  {
    id: 'requestId',
    header: 'Request',
    value: ({ requestId }) => requestId,
    cell: ({ requestId }) => (
      <PageLink to="/trace/$requestId" params={{ requestId }} ff="monospace" title={requestId}>
        {formatShort(requestId, ID_SHOWN)}
      </PageLink>
    ),
  },
  {
    id: 'key',
    header: 'Key',
    value: ({ key }) => key,
    cell: ({ key }) => (key === null ? null : <span title={key}>{formatShort(key, 24)}</span>),
  },
  {
    id: 'version',
    header: 'Version',
    value: ({ model, modelVersion }) => `${model} v${modelVersion}`,
  },
  {
    id: 'arm',
    header: 'Arm',
    value: ({ arm, reason }) => `${arm} (${reason})`,
    cell: ({ arm, reason }) => (
      <>
        {arm}
        <Text span inherit c="dimmed">
          {` by ${reason}`}
        </Text>
      </>
    ),
  },
  {
    id: 'status',
    header: 'Status',
    value: ({ status }) => status,
    // Only failures get a badge: a column of green ones hides the red one.
    cell: ({ status, errorCode }) =>
      errorCode === null ? (
        status
      ) : (
        <StatusBadge tone={statusTone(status)}>{`${status} ${errorCode}`}</StatusBadge>
      ),
  },
  {
    id: 'total',
    header: 'Latency',
    isNumeric: true,
    value: ({ totalUs }) => totalUs,
    cell: ({ totalUs }) => formatMicroseconds(totalUs),
  },
  { id: 'source', header: 'Read from', value: ({ source }) => source },
];

/** Which of them; all when nothing is said. */
export interface RequestsWanted {
  readonly from?: string | undefined;
  readonly until?: string | undefined;
  readonly version?: number | undefined;
  readonly failed?: boolean | undefined;
}

interface RecentRequestsProps {
  readonly endpoint: string;
  readonly wanted: RequestsWanted;
  readonly heading: ReactNode;
}

/** The newest answered requests of an endpoint; each leads to its trace. */
export function RecentRequests({ endpoint, wanted, heading }: RecentRequestsProps): ReactNode {
  const { failed, ...times } = wanted;
  const which = { ...times, ...(failed === undefined ? {} : { failed: String(failed) }) };
  const isAll = Object.values(which).every((value) => value === undefined);
  const requests = useRoutePages(
    listPredictions,
    { params: { endpoint }, query: { limit: REQUESTS_A_PAGE, ...which } },
    // A part of the log is read from its table, and moves only with a flush.
    { subjects: [`endpoint/${endpoint}`], ...(isAll ? { pollMs: POLL_MS } : {}) },
  );
  return (
    <Loaded query={{ ...requests, data: requests.items }} height={300}>
      {(items) =>
        items.length === 0 ? (
          <Stack gap="sm">
            {heading}
            <EmptyState
              icon={<IconBinaryTree aria-hidden />}
              title={isAll ? `${endpoint} has answered nothing yet` : 'No request is like that'}
              description={
                isAll
                  ? 'Requests appear here as soon as they are answered.'
                  : 'Close what narrows the list, or widen its time.'
              }
            />
          </Stack>
        ) : (
          <DataTable
            name={`Requests of ${endpoint}`}
            heading={heading}
            columns={COLUMNS}
            rows={items}
            rowId={({ requestId, wall }) => `${requestId} ${wall}`}
            minWidth={900}
            canFilter
            more={requests}
          />
        )
      }
    </Loaded>
  );
}
