import { List, Stack, Table, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { Facts } from '../../../web/kit/facts.tsx';
import { formatCount } from '../../../web/kit/format.ts';
import { Instant } from '../../../web/kit/instant.tsx';
import { PageLink } from '../../../web/kit/link.tsx';
import { SaveCsv } from '../../../web/kit/save-csv.tsx';
import { Section } from '../../../web/kit/section.tsx';
import { StatusBadge } from '../../../web/kit/status-badge.tsx';
import type { Finding, Situation } from './evidence.ts';

interface SituationSectionProps {
  readonly situation: Situation;
  readonly monitor: string;
}

/** How things stood when it was asked whether to train: causes, findings and what is in the way. */
export function SituationSection({ situation, monitor }: SituationSectionProps): ReactNode {
  const { causes, findings, incidents } = situation;
  return (
    <>
      <Section title="Situation">
        <SituationFacts situation={situation} monitor={monitor} />
      </Section>
      <Section title="What asked for a new version">
        <List size="sm" spacing={4}>
          {causes.map(({ kind, says, doubt }) => (
            <List.Item key={`${kind} ${says}`}>
              {says}
              {doubt !== null && (
                <Text span inherit c="dimmed">
                  {` (in doubt: ${doubt})`}
                </Text>
              )}
            </List.Item>
          ))}
        </List>
      </Section>
      <FindingsOf title="What the monitor found" findings={findings} />
      <FindingsOf title="Incidents upstream" findings={incidents} />
    </>
  );
}

function SituationFacts({ situation, monitor }: SituationSectionProps): ReactNode {
  const { evaluation, release, past, maturedRows, gateSpan, exclusions } = situation;
  return (
    <Facts
      facts={[
        [
          'Evaluation',
          evaluation === null ? null : (
            <PageLink
              to="/monitors/$monitor/evaluations/$evaluation"
              params={{ monitor, evaluation }}
            >
              {`what monitor ${monitor} found`}
            </PageLink>
          ),
        ],
        [
          'Champion',
          release === null ? null : (
            <PageLink
              to="/models/$model/versions/$version"
              params={{ model: release.model, version: String(release.version) }}
            >
              {`${release.model} v${release.version}, route revision ${release.revision}`}
            </PageLink>
          ),
        ],
        [
          'Since',
          release === null ? null : <Instant value={release.since} clock="domain" withClock />,
        ],
        ['Matured rows', formatCount(maturedRows)],
        [
          'Gate days',
          <>
            <Instant value={gateSpan.from} clock="domain" />
            {' until before '}
            <Instant value={gateSpan.until} clock="domain" withClock />
          </>,
        ],
        ['Failures', `${formatCount(past.failures)} in a row`],
        ['Retrains', `${formatCount(past.retrains)} within the budget’s time`],
        [
          'Cooldown',
          past.cooldownUntil === null ? (
            'none'
          ) : (
            <>
              {'until '}
              <Instant value={past.cooldownUntil} clock="domain" withClock />
            </>
          ),
        ],
        [
          'Exclusions',
          exclusions.length === 0
            ? null
            : exclusions.map(({ from, until, reason }) => (
                <div key={from}>
                  <Instant value={from} clock="domain" withClock />
                  {until === null ? ' on: ' : ' until '}
                  {until !== null && <Instant value={until} clock="domain" />}
                  {until === null ? reason : `: ${reason}`}
                </div>
              )),
        ],
      ]}
    />
  );
}

const TONES = { ok: 'good', warn: 'warn', alert: 'bad' } as const;

function FindingsOf(props: {
  readonly title: string;
  readonly findings: readonly Finding[];
}): ReactNode {
  const { title, findings } = props;
  if (findings.length === 0) return null;
  return (
    <Section
      title={title}
      aside={
        <SaveCsv
          name={title}
          header={['finding', 'of', 'version', 'state', 'in words']}
          rows={() =>
            findings.map(({ kind, subject, version, state, explanation }) => [
              kind,
              subject,
              version,
              state,
              explanation,
            ])
          }
        />
      }
    >
      <Stack gap="xs">
        <Table aria-label={title} verticalSpacing={4}>
          <Table.Tbody>
            {findings.map(({ kind, subject, version, state, explanation }) => (
              <Table.Tr key={`${kind} ${subject} ${version ?? ''}`}>
                <Table.Td w={120} style={{ verticalAlign: 'top' }}>
                  <StatusBadge tone={TONES[state as keyof typeof TONES] ?? 'plain'}>
                    {state.replaceAll('_', ' ')}
                  </StatusBadge>
                </Table.Td>
                <Table.Td style={{ overflowWrap: 'anywhere' }}>
                  <Text size="sm" fw={500}>
                    {`${kind.replaceAll('_', ' ')} ${subject}${version === null ? '' : ` · v${version}`}`}
                  </Text>
                  {explanation}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Stack>
    </Section>
  );
}
