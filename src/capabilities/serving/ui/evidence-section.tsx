import { Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { DataTable, type Column } from '../../../web/kit/data-table.tsx';
import { Card } from '../../../web/kit/section.tsx';
import type { Tone } from '../../../web/kit/number-card.tsx';
import { StatusBadge } from '../../../web/kit/status-badge.tsx';
import type { DeploymentCheck, RouteRevision } from '../contract.ts';

const RESULTS: Readonly<Record<DeploymentCheck['result'], readonly [Tone, string]>> = {
  passed: ['good', 'passed'],
  refused: ['bad', 'refused'],
  not_done: ['warn', 'not done'],
};

const COLUMNS: readonly Column<DeploymentCheck>[] = [
  { id: 'name', header: 'Check', value: ({ name }) => name },
  { id: 'version', header: 'Of', value: ({ version }) => `v${version}` },
  {
    id: 'result',
    header: 'Result',
    value: ({ result }) => RESULTS[result][1],
    cell: ({ result }) => <StatusBadge tone={RESULTS[result][0]}>{RESULTS[result][1]}</StatusBadge>,
  },
  {
    id: 'summary',
    header: 'What was found',
    value: ({ summary }) => summary,
    cell: ({ summary }) => <span style={{ whiteSpace: 'normal' }}>{summary}</span>,
  },
];

/** What the versions of a route were checked for before they took traffic. */
export function EvidenceSection({ route }: { readonly route: RouteRevision }): ReactNode {
  return (
    <Card label="Checks">
      <DataTable
        name="Checks"
        heading={<Title order={2}>Checked before it took traffic</Title>}
        columns={COLUMNS}
        rows={route.evidence}
        rowId={({ name, version }) => `${name} ${version}`}
        minWidth={520}
      />
    </Card>
  );
}
