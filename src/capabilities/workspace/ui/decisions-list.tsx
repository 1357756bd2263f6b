import { Group, List, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { dayText } from '../../../web/kit/day-axis.ts';
import { formatCount } from '../../../web/kit/format.ts';
import { PageLink } from '../../../web/kit/link.tsx';
import { StatusBadge } from '../../../web/kit/status-badge.tsx';
import type { StoryDecision } from './story.ts';

/** The newest few; a loop's own page has them all. */
const SHOWN = 5;

/** The newest decisions in words; each leads to what it rests on. */
export function DecisionsList({
  decisions,
}: {
  readonly decisions: readonly StoryDecision[];
}): ReactNode {
  if (decisions.length === 0) return null;
  const newest = decisions.slice(-SHOWN).toReversed();
  const loop = decisions
    .map(({ of }) => ('loop' in of ? of.loop : null))
    .find((one) => one !== null);
  return (
    <List listStyleType="none" size="sm" spacing={6} aria-label="Newest decisions">
      {newest.map((one) => (
        <List.Item key={keyOf(one)}>
          <Group gap={8} align="baseline">
            <Text span size="sm" c="dimmed" style={{ flex: '0 0 52px' }} title={timeText(one.at)}>
              {dayText(one.at)}
            </Text>
            <ToDecision decision={one}>
              <StatusBadge tone={one.tone}>{one.what}</StatusBadge>
            </ToDecision>
            <Text span size="sm" style={{ flex: '1 1 220px', overflowWrap: 'anywhere' }}>
              {one.reason === '' ? 'no reason given' : one.reason}
              <Text span inherit c="dimmed">{` by ${one.actor}`}</Text>
            </Text>
          </Group>
        </List.Item>
      ))}
      {decisions.length > SHOWN && loop !== undefined && (
        <List.Item>
          <PageLink to="/loop" search={{ loop: loop ?? undefined }}>
            {`All ${formatCount(decisions.length)} decisions`}
          </PageLink>
        </List.Item>
      )}
    </List>
  );
}

function keyOf({ of }: StoryDecision): string {
  return 'loop' in of ? `${of.loop}/${of.decision}` : `${of.endpoint}@${of.revision}`;
}

function timeText(at: number): string {
  return `${new Date(at).toISOString()} (domain clock, UTC)`;
}

function ToDecision(props: {
  readonly decision: StoryDecision;
  readonly children: ReactNode;
}): ReactNode {
  const { of } = props.decision;
  return 'loop' in of ? (
    <PageLink
      to="/loop/$loop/decisions/$decision"
      params={{ loop: of.loop, decision: String(of.decision) }}
      underline="never"
    >
      {props.children}
    </PageLink>
  ) : (
    <PageLink
      to="/endpoints/$endpoint"
      params={{ endpoint: of.endpoint }}
      search={{ revision: of.revision }}
      underline="never"
    >
      {props.children}
    </PageLink>
  );
}
