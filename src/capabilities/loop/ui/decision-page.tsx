import { Code, Group, Stack, Text } from '@mantine/core';
import { useParams } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { PAGE_LIMIT_MAX } from '../../../base/page.ts';
import { CopyCode } from '../../../web/kit/copy-code.tsx';
import { Facts } from '../../../web/kit/facts.tsx';
import { Instant } from '../../../web/kit/instant.tsx';
import { PageLink } from '../../../web/kit/link.tsx';
import { Loaded } from '../../../web/kit/loaded.tsx';
import { PageHeader } from '../../../web/kit/page-header.tsx';
import { Section } from '../../../web/kit/section.tsx';
import { StatusBadge } from '../../../web/kit/status-badge.tsx';
import { useRoute } from '../../../web/kit/use-route.ts';
import { getDecision, getLoop, listDecisions, type Decision } from '../contract.ts';
import { about } from './decision-kind.ts';
import { EvidenceSection } from './evidence-section.tsx';
import { evidenceOf, inputsText } from './evidence.ts';
import classes from './loop.module.css';

/** One decision: what was decided, by whom, under which policy, and all that it rests on. */
export function DecisionPage(): ReactNode {
  const { loop, decision } = useParams({ from: '/loop/$loop/decisions/$decision' });
  // What is no number is no decision, and the server says so.
  const params = { loop, decision: Number(decision) || decision };
  const found = useRoute(getDecision, { params });
  return (
    <>
      <PageHeader
        title={`Decision ${decision}`}
        about={
          <PageLink to="/loop" search={{ loop }}>
            {`All decisions of ${loop}`}
          </PageLink>
        }
      />
      <Loaded query={found} height={400}>
        {(data) => <DecisionOf decision={data} />}
      </Loaded>
    </>
  );
}

function DecisionOf({ decision }: { readonly decision: Decision }): ReactNode {
  const { kind, reason, inputs, loop, instance } = decision;
  const state = useRoute(getLoop, { params: { loop } }, { subjects: [`loop/${loop}`] });
  const evidence = evidenceOf(inputs);
  return (
    <Stack gap="md">
      <Section
        title="Decided"
        aside={<StatusBadge tone={about(kind).tone}>{about(kind).word}</StatusBadge>}
      >
        <Text mb="sm">{reason}</Text>
        <DecisionFacts decision={decision} />
      </Section>
      <EvidenceSection evidence={evidence} endpoint={state.data?.endpoint ?? loop} />
      {instance !== null && <Course decision={decision} instance={instance} />}
      <Section title="All inputs, as they were recorded">
        <Code block className={classes['json']}>
          {inputsText(inputs)}
        </Code>
      </Section>
    </Stack>
  );
}

function DecisionFacts({ decision }: { readonly decision: Decision }): ReactNode {
  const { at, wall, actor, policy } = decision;
  return (
    <Facts
      facts={[
        ['Domain time', <Instant key="at" value={at} clock="domain" withClock />],
        ['Wall time', <Instant key="wall" value={wall} clock="wall" withClock />],
        ['By', actor === 'loop' ? 'the loop itself' : actor],
        ['Policy', <CopyCode key="policy" code={policy} />],
      ]}
    />
  );
}

/** The other decisions of the same instance, in their order. */
function Course(props: { readonly decision: Decision; readonly instance: string }): ReactNode {
  const { decision, instance } = props;
  const { loop, id: shown } = decision;
  const course = useRoute(
    listDecisions,
    { params: { loop }, query: { instance, limit: PAGE_LIMIT_MAX } },
    { subjects: [`loop/${loop}`] },
  );
  return (
    <Section title="The way of this instance (domain clock)">
      <Loaded query={course} height={80}>
        {({ items }) => (
          <Stack gap={6} component="ol" m={0} p={0} className={classes['course'] ?? ''}>
            {items.toReversed().map(({ id, at, kind }) => (
              <Group key={id} gap="xs" component="li">
                <Instant value={at} clock="domain" />
                <StatusBadge tone={about(kind).tone}>{about(kind).word}</StatusBadge>
                {id === shown ? (
                  <Text size="sm" c="dimmed">
                    this decision
                  </Text>
                ) : (
                  <PageLink
                    to="/loop/$loop/decisions/$decision"
                    params={{ loop, decision: String(id) }}
                    size="sm"
                  >
                    {`Decision ${id}`}
                  </PageLink>
                )}
              </Group>
            ))}
          </Stack>
        )}
      </Loaded>
    </Section>
  );
}
