import { Stack, Table, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { Facts, type Fact } from '../../../web/kit/facts.tsx';
import { formatCount, formatDigest, formatSeconds, formatShare } from '../../../web/kit/format.ts';
import { Instant } from '../../../web/kit/instant.tsx';
import { PageLink } from '../../../web/kit/link.tsx';
import { SaveCsv } from '../../../web/kit/save-csv.tsx';
import { Section } from '../../../web/kit/section.tsx';
import { StatusBadge } from '../../../web/kit/status-badge.tsx';
import { ComparedFigures } from './compared-section.tsx';
import type { Evidence, Gate, Guard, Guardrail, Trained, Training } from './evidence.ts';
import { SituationSection } from './situation-section.tsx';

interface EvidenceSectionProps {
  readonly evidence: Evidence;
  /** The endpoint, which is the monitor's name too. */
  readonly endpoint: string;
}

/** The numbers a decision rests on, each with what is behind it. */
export function EvidenceSection({ evidence, endpoint }: EvidenceSectionProps): ReactNode {
  switch (evidence.kind) {
    case 'gate':
      return <GateSection gate={evidence.of} />;
    case 'guard':
      return <GuardSection guard={evidence.of} endpoint={endpoint} />;
    case 'situation':
      return <SituationSection situation={evidence.of} monitor={endpoint} />;
    case 'training':
      return <TrainingSection training={evidence.of} />;
    case 'other':
      return null;
  }
}

function GateSection({ gate }: { readonly gate: Gate }): ReactNode {
  const { champion, challenger, comparison, metric, why, guardrails } = gate;
  return (
    <>
      <Section title="Gate">
        <Stack gap="sm">
          <Facts facts={gateFacts(gate)} />
          {comparison === null ? (
            <Text size="sm">{`The versions were not compared: ${why ?? 'the rows do not allow it'}.`}</Text>
          ) : (
            <ComparedFigures
              compared={comparison}
              metric={metric}
              champion={champion}
              challenger={challenger}
            />
          )}
        </Stack>
      </Section>
      {guardrails.length > 0 && (
        <Section
          title="Guardrails: they can forbid, never allow"
          aside={
            <SaveCsv
              name="Guardrails"
              header={['guardrail', 'result', 'in words']}
              rows={() => guardrails.map(({ name, result, summary }) => [name, result, summary])}
            />
          }
        >
          <Guardrails guardrails={guardrails} />
        </Section>
      )}
    </>
  );
}

function gateFacts(gate: Gate): readonly Fact[] {
  const { evaluation, trained, evaluationVersion } = gate;
  const set = trained.challenger.trainingSet;
  return [
    [
      'Judged on',
      <>
        <Instant value={evaluation.from} clock="domain" />
        {' until before '}
        <Instant value={evaluation.until} clock="domain" withClock />
      </>,
    ],
    [
      'Rows',
      set === null || evaluationVersion === null ? null : (
        <TrainingSetLink name={set.name} version={evaluationVersion} />
      ),
    ],
    ['Challenger', <TrainedOn key="challenger" trained={trained.challenger} />],
    ['Champion', <TrainedOn key="champion" trained={trained.champion} />],
  ];
}

function TrainingSetLink(props: { readonly name: string; readonly version: number }): ReactNode {
  const { name, version } = props;
  return (
    <PageLink
      to="/features/training-sets/$name/versions/$version"
      params={{ name, version: String(version) }}
    >
      {`${name}@v${version}`}
    </PageLink>
  );
}

function TrainedOn({ trained }: { readonly trained: Trained }): ReactNode {
  const { trainingSet, until, definition } = trained;
  if (trainingSet === null) return 'trained on rows that nobody pinned';
  return (
    <>
      {'trained on '}
      <TrainingSetLink {...trainingSet} />
      {until !== null && (
        <>
          {' with rows before '}
          <Instant value={until} clock="domain" withClock />
        </>
      )}
      {definition !== null && (
        <>
          {', features '}
          <PageLink to="/lineage" search={{ of: `definition/${definition}` }} ff="monospace">
            {formatDigest(definition)}
          </PageLink>
        </>
      )}
    </>
  );
}

const RESULTS = { passed: 'good', vetoed: 'bad', not_done: 'plain' } as const;

function Guardrails({ guardrails }: { readonly guardrails: readonly Guardrail[] }): ReactNode {
  return (
    <Table aria-label="Guardrails" verticalSpacing={4}>
      <Table.Tbody>
        {guardrails.map(({ name, result, summary }) => (
          <Table.Tr key={name}>
            <Table.Td w={90}>{name}</Table.Td>
            <Table.Td w={90}>
              <StatusBadge tone={RESULTS[result as keyof typeof RESULTS] ?? 'plain'}>
                {result.replaceAll('_', ' ')}
              </StatusBadge>
            </Table.Td>
            <Table.Td>{summary}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

const MICROS_PER_SECOND = 1e6;

function GuardSection(props: { readonly guard: Guard; readonly endpoint: string }): ReactNode {
  const { guard, endpoint } = props;
  const { challenger, champion, comparison, metric, why, limits, former } = guard;
  const lasted = formatSeconds(limits.forMicros / MICROS_PER_SECOND);
  return (
    <Section title="Guard">
      <Stack gap="sm">
        <Facts
          facts={[
            ['Since', <Instant key="since" value={guard.deployedAt} clock="domain" withClock />],
            ['Looked', <Instant key="at" value={guard.at} clock="domain" withClock />],
            ['Needs', `${formatCount(limits.requests)} requests and ${lasted}`],
            [
              'Answered',
              <PageLink
                key="requests"
                to="/trace"
                search={{
                  endpoint: endpoint,
                  from: guard.deployedAt,
                  until: guard.at,
                  version: challenger,
                }}
              >
                {`${formatCount(guard.requests)} requests by v${challenger}`}
              </PageLink>,
            ],
            [
              'Failed',
              `${formatShare(guard.errors, guard.requests)}, before ${formatShare(former.errors, former.requests)} of ${formatCount(former.requests)}`,
            ],
            ['Overridden', guard.isOverridden ? 'the gate had rejected it' : null],
          ]}
        />
        {comparison === null ? (
          <Text size="sm">{`Not compared: ${why ?? 'no label has matured yet'}.`}</Text>
        ) : (
          <ComparedFigures
            compared={comparison}
            metric={metric}
            champion={champion}
            challenger={challenger}
          />
        )}
      </Stack>
    </Section>
  );
}

function TrainingSection({ training }: { readonly training: Training }): ReactNode {
  const { stage, pipelineRun, challenger, trained } = training;
  return (
    <Section title="Training">
      <Facts
        facts={[
          ['Stage', `${stage} of dvc.yaml`],
          [
            'Pipeline run',
            <PageLink key="pipeline" to="/pipelines/$run" params={{ run: pipelineRun }}>
              {pipelineRun}
            </PageLink>,
          ],
          ['Made', `v${challenger}`],
          ['From', <TrainedOn key="trained" trained={trained} />],
        ]}
      />
    </Section>
  );
}
