import { Alert, EmptyState, Title } from '@mantine/core';
import { IconTag } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { CopyCode } from '../../../web/kit/copy-code.tsx';
import { DataTable, type Column } from '../../../web/kit/data-table.tsx';
import { Instant } from '../../../web/kit/instant.tsx';
import { Card, Section } from '../../../web/kit/section.tsx';
import { StatusBadge } from '../../../web/kit/status-badge.tsx';
import type { Label, Prediction } from '../../predictions/contract.ts';

interface LabelsSectionProps {
  readonly prediction: Prediction;
  readonly labels: readonly Label[];
  /** Why there may be more; null when these are all. */
  readonly missing: string | null;
}

/** What turned out to be true; corrections count up and the latest holds. */
export function LabelsSection({ prediction, labels, missing }: LabelsSectionProps): ReactNode {
  if (labels.length === 0 && missing === null) return <NoLabel prediction={prediction} />;
  const latest = Math.max(...labels.map(({ revision }) => revision));
  const columns: readonly Column<Label>[] = [
    { id: 'value', header: 'Value', value: ({ value }) => value },
    {
      id: 'at',
      header: 'Happened (domain clock)',
      value: ({ at }) => at,
      cell: ({ at }) => <Instant value={at} clock="domain" />,
    },
    {
      id: 'revision',
      header: 'Revision',
      isNumeric: true,
      value: ({ revision }) => revision,
      cell: ({ revision }) =>
        revision === latest ? (
          <StatusBadge tone="good">{`${revision}, holds`}</StatusBadge>
        ) : (
          revision
        ),
    },
  ];
  return (
    <Card label="Labels">
      {missing !== null && (
        <Alert color="yellow" title="Some labels may be missing">
          {missing}
        </Alert>
      )}
      <DataTable
        heading={<Title order={2}>Labels</Title>}
        name={`Labels of ${prediction.requestId}`}
        columns={columns}
        rows={labels}
        rowId={({ revision }) => String(revision)}
        minWidth={320}
        sortedBy={{ id: 'revision', desc: true }}
      />
    </Card>
  );
}

function NoLabel({ prediction }: { readonly prediction: Prediction }): ReactNode {
  const { endpoint, requestId } = prediction;
  const body = JSON.stringify({ labels: [{ endpoint, requestId, value: 1 }] });
  return (
    <Section title="Labels">
      <EmptyState
        icon={<IconTag aria-hidden />}
        title="No outcome is known yet"
        description="Once it is, send it; monitors compare it with the prediction."
      >
        <CopyCode
          isBlock
          code={`curl ${window.location.origin}/api/v1/labels -H 'content-type: application/json' -d '${body}'`}
        />
      </EmptyState>
    </Section>
  );
}
