import { Stack, Title } from '@mantine/core';
import { useParams } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { CopyCode } from '../../../web/kit/copy-code.tsx';
import { DataTable, type Column } from '../../../web/kit/data-table.tsx';
import { Facts } from '../../../web/kit/facts.tsx';
import { formatMicroseconds, formatSeconds, formatShare } from '../../../web/kit/format.ts';
import { Instant } from '../../../web/kit/instant.tsx';
import { PageLink } from '../../../web/kit/link.tsx';
import { Loaded } from '../../../web/kit/loaded.tsx';
import { PageHeader } from '../../../web/kit/page-header.tsx';
import { Card, Section } from '../../../web/kit/section.tsx';
import { StatusBadge } from '../../../web/kit/status-badge.tsx';
import { useRoute } from '../../../web/kit/use-route.ts';
import { getEvaluation, type EvaluatedVersion, type Evaluation } from '../contract.ts';
import { toneOf, wordOf } from './check-words.ts';
import { FindingsTable, foundIn } from './findings-table.tsx';

/** One evaluation: everything that was looked at as of one time, and what was found. */
export function EvaluationPage(): ReactNode {
  const params = useParams({ from: '/monitors/$monitor/evaluations/$evaluation' });
  const found = useRoute(getEvaluation, { params });
  return (
    <>
      <PageHeader
        title={`Evaluation of ${params.monitor}`}
        about={
          <PageLink to="/monitors/$monitor" params={{ monitor: params.monitor }}>
            {`Monitor ${params.monitor} now`}
          </PageLink>
        }
      />
      <Loaded query={found} height={400}>
        {(data) => <EvaluationOf evaluation={data} />}
      </Loaded>
    </>
  );
}

function EvaluationOf({ evaluation }: { readonly evaluation: Evaluation }): ReactNode {
  const { id, at, state, seconds, versions } = evaluation;
  return (
    <Stack gap="md">
      <Section
        title="Evaluated"
        aside={<StatusBadge tone={toneOf(state)}>{wordOf(state)}</StatusBadge>}
      >
        <Facts
          facts={[
            ['As of', <Instant key="at" value={at} clock="domain" withClock />],
            ['Took', formatSeconds(seconds)],
            ['Id', <CopyCode key="id" code={id} />],
          ]}
        />
      </Section>
      <Card label="Findings">
        <FindingsTable name="Checks" heading="Everything looked at" found={foundIn(evaluation)} />
      </Card>
      {versions.length > 0 && (
        <Card label="Versions">
          <DataTable
            name="Versions that answered"
            heading={<Title order={2}>Versions that answered</Title>}
            columns={VERSIONS}
            rows={versions}
            rowId={({ model, version }) => `${model} ${version}`}
            minWidth={480}
          />
        </Card>
      )}
    </Stack>
  );
}

const VERSIONS: readonly Column<EvaluatedVersion>[] = [
  {
    id: 'version',
    header: 'Version',
    value: ({ model, version }) => `${model} v${version}`,
    cell: ({ model, version }) => (
      <PageLink to="/models/$model/versions/$version" params={{ model, version: String(version) }}>
        {`${model} v${version}`}
      </PageLink>
    ),
  },
  { id: 'requests', header: 'Requests', isNumeric: true, value: ({ requests }) => requests },
  {
    id: 'errors',
    header: 'Failed',
    isNumeric: true,
    value: ({ errors }) => errors,
    cell: ({ errors, requests }) => formatShare(errors, requests),
  },
  {
    id: 'p50',
    header: 'Median',
    isNumeric: true,
    value: ({ p50Us }) => p50Us,
    cell: ({ p50Us }) => (p50Us === null ? null : formatMicroseconds(p50Us)),
  },
  {
    id: 'p99',
    header: '99 of 100',
    isNumeric: true,
    value: ({ p99Us }) => p99Us,
    cell: ({ p99Us }) => (p99Us === null ? null : formatMicroseconds(p99Us)),
  },
];
