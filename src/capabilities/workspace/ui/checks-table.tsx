import { Group } from '@mantine/core';
import { useMemo, type ReactNode } from 'react';
import { DataTable, type Column } from '../../../web/kit/data-table.tsx';
import { formatShort } from '../../../web/kit/format.ts';
import { PageLink } from '../../../web/kit/link.tsx';
import type { Tone } from '../../../web/kit/number-card.tsx';
import { StatusBadge } from '../../../web/kit/status-badge.tsx';
import type { Check, Evidence } from '../../maturity/contract.ts';

const TONES: Readonly<Record<Check['state'], Tone>> = {
  pass: 'good',
  fail: 'bad',
  unknown: 'warn',
  'n/a': 'plain',
};
const EVIDENCE_SHOWN = 3;

interface ChecksTableProps {
  readonly endpoint: string;
  readonly checks: readonly Check[];
}

/** Every check of every level: why it holds or not, from what, and what would change it. */
export function ChecksTable({ endpoint, checks }: ChecksTableProps): ReactNode {
  const columns = useMemo(() => columnsOf(endpoint), [endpoint]);
  return (
    <DataTable
      name="Checks"
      columns={columns}
      rows={checks}
      rowId={({ id }) => id}
      pageSize={15}
      minWidth={760}
      canFilter
    />
  );
}

function columnsOf(endpoint: string): readonly Column<Check>[] {
  return [
    { id: 'id', header: 'Check', value: ({ id }) => id },
    { id: 'level', header: 'Level', isNumeric: true, value: ({ level }) => level },
    {
      id: 'state',
      header: 'State',
      value: ({ state }) => state,
      cell: ({ state, need }) => (
        <Group gap={4} wrap="nowrap">
          <StatusBadge tone={need === 'bonus' && state !== 'pass' ? 'plain' : TONES[state]}>
            {state}
          </StatusBadge>
          {need === 'bonus' && 'bonus'}
        </Group>
      ),
    },
    {
      id: 'title',
      header: 'What',
      value: ({ title }) => title,
      cell: ({ title }) => <span style={{ whiteSpace: 'normal' }}>{title}</span>,
    },
    {
      id: 'why',
      header: 'Why',
      value: ({ why }) => why,
      cell: ({ why }) => <span style={{ whiteSpace: 'normal' }}>{why}</span>,
    },
    {
      id: 'evidence',
      header: 'Evidence',
      value: ({ evidence }) => evidence.map(({ id }) => id).join(' '),
      cell: ({ evidence }) => (
        <Group gap={6}>
          {evidence.slice(0, EVIDENCE_SHOWN).map((one) => (
            <EvidenceLink key={`${one.kind}/${one.id}`} endpoint={endpoint} evidence={one} />
          ))}
          {evidence.length > EVIDENCE_SHOWN && `and ${evidence.length - EVIDENCE_SHOWN} more`}
        </Group>
      ),
    },
    {
      id: 'fix',
      header: 'What would change it',
      value: ({ fix }) => fix.command ?? fix.says,
      cell: ({ fix, state }) =>
        state === 'pass' ? null : (
          <span style={{ whiteSpace: 'normal' }} title={fix.command ?? undefined}>
            {fix.says}
          </span>
        ),
    },
  ];
}

interface EvidenceLinkProps {
  readonly endpoint: string;
  readonly evidence: Evidence;
}

/** Leads to the thing itself, where it has a page. */
function EvidenceLink({ endpoint, evidence: { kind, id } }: EvidenceLinkProps): ReactNode {
  const text = `${kind} ${formatShort(id, 16)}`;
  const [name = '', number = ''] = id.split(/[@/]/);
  switch (kind) {
    case 'run':
      return (
        <PageLink to="/runs/$runId" params={{ runId: id }}>
          {text}
        </PageLink>
      );
    case 'version':
      return (
        <PageLink to="/models/$model/versions/$version" params={{ model: name, version: number }}>
          {text}
        </PageLink>
      );
    case 'revision':
      return (
        <PageLink
          to="/endpoints/$endpoint"
          params={{ endpoint: name }}
          search={{ revision: Number(number) }}
        >
          {text}
        </PageLink>
      );
    case 'training_set':
      return (
        <PageLink
          to="/features/training-sets/$name/versions/$version"
          params={{ name, version: number }}
        >
          {text}
        </PageLink>
      );
    case 'evaluation':
      return (
        <PageLink
          to="/monitors/$monitor/evaluations/$evaluation"
          params={{ monitor: endpoint, evaluation: id }}
        >
          {text}
        </PageLink>
      );
    case 'decision':
      return (
        <PageLink to="/loop/$loop/decisions/$decision" params={{ loop: name, decision: number }}>
          {text}
        </PageLink>
      );
    default:
      return text;
  }
}
