import { Button, Group, Stack, Text, Title } from '@mantine/core';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { IconX } from '@tabler/icons-react';
import { useMemo, useState, type ReactNode } from 'react';
import { CopyCode } from '../../../web/kit/copy-code.tsx';
import { DataTable, type Column } from '../../../web/kit/data-table.tsx';
import { Facts } from '../../../web/kit/facts.tsx';
import { formatCount, formatCounted, formatDigest } from '../../../web/kit/format.ts';
import { Instant } from '../../../web/kit/instant.tsx';
import { PageLink } from '../../../web/kit/link.tsx';
import { Card, Section } from '../../../web/kit/section.tsx';
import { StatusBadge } from '../../../web/kit/status-badge.tsx';
import type { RouteRevision } from '../contract.ts';
import { EvidenceSection } from './evidence-section.tsx';
import { armsText } from './revisions.ts';
import { RouteChangeForm } from './route-change-form.tsx';

const ROWS_SHOWN = 12;

interface RevisionsSectionProps {
  readonly endpoint: string;
  /** Newest first. */
  readonly revisions: readonly RouteRevision[];
  readonly more: {
    readonly hasMore: boolean;
    readonly isLoadingMore: boolean;
    readonly loadMore: () => void;
  };
  /** Whether every hash holds; null while unknown. */
  readonly isIntact: boolean | null;
}

/** Every routing table there was: who published it, why, and what it rests on. */
export function RevisionsSection(props: RevisionsSectionProps): ReactNode {
  const { endpoint, revisions, more, isIntact } = props;
  const { revision: asked } = useSearch({ from: '/endpoints/$endpoint' });
  const [target, setTarget] = useState<RouteRevision | null>(null);
  const [current] = revisions;
  const columns = useMemo(() => columnsOf(current, setTarget), [current]);
  const chosen = revisions.find(({ revision }) => revision === asked);
  return (
    <>
      <Card label="Route revisions">
        <DataTable
          name="Route revisions"
          heading={
            <Group gap="xs">
              <Title order={2}>Route revisions</Title>
              {isIntact !== null && (
                <StatusBadge
                  tone={isIntact ? 'good' : 'bad'}
                  title="Each revision carries the hash of its content and of the one before."
                >
                  {isIntact ? 'hash chain intact' : 'hash chain broken: a revision was altered'}
                </StatusBadge>
              )}
            </Group>
          }
          columns={columns}
          rows={revisions}
          rowId={({ id }) => id}
          pageSize={ROWS_SHOWN}
          minWidth={980}
          canFilter={revisions.length > ROWS_SHOWN}
          more={more}
        />
      </Card>
      {chosen !== undefined && <Chosen revision={chosen} />}
      {target !== null && current !== undefined && (
        <RouteChangeForm
          kind="rollback"
          endpoint={endpoint}
          current={current}
          to={target}
          close={() => {
            setTarget(null);
          }}
        />
      )}
    </>
  );
}

function columnsOf(
  current: RouteRevision | undefined,
  rollBackTo: (revision: RouteRevision) => void,
): readonly Column<RouteRevision>[] {
  return [
    {
      id: 'revision',
      header: 'No.',
      isNumeric: true,
      value: ({ revision }) => revision,
      cell: ({ endpoint, revision }) => (
        <PageLink
          to="/endpoints/$endpoint"
          params={{ endpoint }}
          search={(search) => ({ ...search, revision })}
          resetScroll={false}
          underline="hover"
          title={`What revision ${revision} rests on`}
        >
          {formatCount(revision)}
        </PageLink>
      ),
    },
    { id: 'arms', header: 'Arms', value: armsText },
    { id: 'actor', header: 'By', value: ({ actor }) => actor },
    {
      id: 'reason',
      header: 'Reason',
      value: ({ reason }) => reason,
      cell: (revision) => <Reason revision={revision} />,
    },
    {
      id: 'checks',
      header: 'Checks',
      value: ({ evidence }) => checksText(evidence),
      cell: ({ evidence }) => (evidence.length === 0 ? null : checksText(evidence)),
    },
    {
      id: 'now',
      header: 'Time (domain clock)',
      value: ({ now }) => now,
      cell: ({ now, wall }) => (
        <span title={`${wall} (wall clock, UTC)`}>
          <Instant value={now} clock="domain" />
        </span>
      ),
    },
    {
      id: 'back',
      header: 'Go back',
      canSort: false,
      value: () => null,
      cell: (revision) =>
        revision.revision === current?.revision ? (
          <StatusBadge tone="good">in force</StatusBadge>
        ) : (
          <Button
            size="compact-xs"
            variant="default"
            aria-label={`Roll back to revision ${revision.revision}`}
            onClick={() => {
              rollBackTo(revision);
            }}
          >
            Roll back to it…
          </Button>
        ),
    },
  ];
}

function checksText(evidence: RouteRevision['evidence']): string {
  const passed = evidence.filter(({ result }) => result === 'passed').length;
  return evidence.length === 0 ? '' : `${passed} of ${evidence.length} passed`;
}

function Reason({ revision }: { readonly revision: RouteRevision }): ReactNode {
  const { reason, restores, isDrill } = revision;
  return (
    <Group gap={6} wrap="nowrap">
      {restores !== null && (
        <StatusBadge tone={isDrill ? 'plain' : 'warn'}>
          {isDrill ? `drill: ${restores} again` : `back to ${restores}`}
        </StatusBadge>
      )}
      <span style={{ whiteSpace: 'normal' }}>
        {reason === '' ? (
          <Text span inherit c="dimmed">
            none given
          </Text>
        ) : (
          reason
        )}
      </span>
    </Group>
  );
}

/** One revision in full, with what was checked before it took traffic. */
function Chosen({ revision: one }: { readonly revision: RouteRevision }): ReactNode {
  const navigate = useNavigate({ from: '/endpoints/$endpoint' });
  const { revision, actor, reason, now, wall, features, salt, hash, evidence } = one;
  return (
    <Stack gap="md">
      <Section
        title={`Revision ${revision}`}
        aside={
          <Button
            size="compact-xs"
            variant="default"
            rightSection={<IconX size={12} aria-hidden />}
            onClick={() =>
              void navigate({
                search: (search) => ({ ...search, revision: undefined }),
                resetScroll: false,
              })
            }
          >
            Close
          </Button>
        }
      >
        <Facts
          facts={[
            ['Arms', armsText(one)],
            ['Published by', actor],
            ['Reason', reason === '' ? 'none given' : reason],
            ['Domain time', <Instant key="now" value={now} clock="domain" />],
            ['Wall time', <Instant key="wall" value={wall} clock="wall" />],
            ['Joins', features === null ? null : features.service],
            [
              'Definition',
              features === null ? null : (
                <CopyCode
                  key="definition"
                  code={features.definition}
                  shown={formatDigest(features.definition)}
                />
              ),
            ],
            ['Salt', <CopyCode key="salt" code={salt} />],
            ['Hash', <CopyCode key="hash" code={hash} shown={formatDigest(hash)} />],
            [
              'Checks',
              evidence.length === 0
                ? 'none: the endpoint joins no features'
                : formatCounted(evidence.length, 'check'),
            ],
          ]}
        />
      </Section>
      {evidence.length > 0 && <EvidenceSection route={one} />}
    </Stack>
  );
}
