import { Progress, SimpleGrid, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { PAGE_LIMIT_MAX } from '../../../base/page.ts';
import { Facts } from '../../../web/kit/facts.tsx';
import {
  formatCount,
  formatCounted,
  formatSeconds,
  formatShare,
  formatSigned,
} from '../../../web/kit/format.ts';
import { Instant } from '../../../web/kit/instant.tsx';
import { PageLink } from '../../../web/kit/link.tsx';
import { Section } from '../../../web/kit/section.tsx';
import { useRoute } from '../../../web/kit/use-route.ts';
import { getGuard, listLoops, type GuardProgress, type Instance } from '../../loop/contract.ts';

/** Requests are counted without an event. */
const POLL_MS = 5000;

/** What a loop is doing with the endpoint's traffic: nothing is shown while it does nothing. */
export function RolloutSection({ endpoint }: { readonly endpoint: string }): ReactNode {
  const loops = useRoute(
    listLoops,
    { query: { limit: PAGE_LIMIT_MAX } },
    { subjects: ['loop/'], pollMs: POLL_MS },
  );
  const loop = loops.data?.items.find((one) => one.endpoint === endpoint);
  const instance = loop?.instance ?? null;
  const guard = useRoute(
    getGuard,
    { params: { loop: loop?.name ?? '' } },
    { subjects: ['loop/'], pollMs: POLL_MS, enabled: instance?.state === 'guarding' },
  );
  if (loop === undefined || instance === null) return null;
  const progress = guard.data?.guard ?? null;
  return (
    <Section
      title={progress === null ? 'Rollout' : `Rollout: v${progress.challenger} is under guard`}
      aside={
        <PageLink to="/loop" search={{ loop: loop.name, instance: instance.id }}>
          {`Decisions of loop ${loop.name}`}
        </PageLink>
      }
    >
      {progress === null ? (
        <Text size="sm">{UNDER_WAY[instance.state]?.(instance) ?? 'Under way.'}</Text>
      ) : (
        <Guarding endpoint={endpoint} guard={progress} />
      )}
    </Section>
  );
}

const UNDER_WAY: Partial<Readonly<Record<Instance['state'], (of: Instance) => string>>> = {
  training: () => 'A new version is trained; the gate looks at it then.',
  evaluating: ({ challenger }) => `The gate looks at v${challenger ?? '?'}.`,
  held: ({ challenger }) => `v${challenger ?? '?'} passed the gate, and waits for approval.`,
  rolling_out: ({ challenger }) => `v${challenger ?? '?'} is about to take the traffic.`,
  guarding: ({ challenger }) => `v${challenger ?? '?'} is under guard; reading how far it is…`,
};

function Guarding(props: { readonly endpoint: string; readonly guard: GuardProgress }): ReactNode {
  const { endpoint, guard } = props;
  const { answered, seconds, wants, deployedAt, at, challenger } = guard;
  return (
    <Stack gap="md">
      <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="md">
        <Reached
          what="Requests"
          share={answered.requests / wants.requests}
          text={
            <PageLink
              to="/trace"
              search={{ endpoint, from: deployedAt, until: at, version: challenger }}
              underline="hover"
            >
              {`${formatCount(answered.requests)} of ${formatCount(wants.requests)}`}
            </PageLink>
          }
        />
        <Reached
          what="Time"
          share={seconds / wants.seconds}
          text={`${formatSeconds(seconds)} of ${formatSeconds(wants.seconds)} (domain clock)`}
        />
      </SimpleGrid>
      <GuardFacts endpoint={endpoint} guard={guard} />
      <Text size="sm">{nextText(guard)}</Text>
    </Stack>
  );
}

interface ReachedProps {
  readonly what: string;
  readonly share: number;
  readonly text: ReactNode;
}

function Reached({ what, share, text }: ReachedProps): ReactNode {
  const percent = Math.min(100, 100 * share);
  return (
    <div>
      <Text size="sm" mb={4}>
        {what}{' '}
        <Text span inherit fw={600}>
          {text}
        </Text>
      </Text>
      <Progress
        value={percent}
        color={share >= 1 ? 'teal' : 'blue'}
        aria-label={`${what} that the guard wants`}
      />
    </div>
  );
}

function GuardFacts(props: {
  readonly endpoint: string;
  readonly guard: GuardProgress;
}): ReactNode {
  const { endpoint, guard } = props;
  const { answered, look, champion, challenger, metric, deployedAt, at } = guard;
  const failed = `${formatCount(answered.errors)} (${formatShare(answered.errors, answered.requests)})`;
  const former = look?.former;
  return (
    <Facts
      facts={[
        [
          'Took over',
          <>
            <Instant value={deployedAt} clock="domain" withClock />
            {` from v${champion}`}
          </>,
        ],
        [
          'Failed',
          <>
            <PageLink
              to="/trace"
              search={{ endpoint, from: deployedAt, until: at, version: challenger, failed: true }}
              underline="hover"
            >
              {failed}
            </PageLink>
            {former !== undefined &&
              `; v${champion} as long before: ${formatShare(former.errors, former.requests)}`}
          </>,
        ],
        [
          'Newest look',
          look === null ? (
            'none yet'
          ) : (
            <Instant key="look" value={look.at} clock="domain" withClock />
          ),
        ],
        ['Difference', look === null ? null : differenceText(look, metric)],
      ]}
    />
  );
}

function differenceText(look: NonNullable<GuardProgress['look']>, metric: string): string {
  const { improvement, early } = look;
  if (improvement === null) {
    return 'too few requests have matured labels to compare both versions';
  }
  const { value, lower, upper, level, rows, days } = improvement;
  const sooner =
    early === null
      ? ''
      : `; upper bound at ${formatShare(early.level, 1)}: ${formatSigned(early.upper)}`;
  return (
    `better by ${formatSigned(value)} in ${metric}, bounds ${formatSigned(lower)} and ` +
    `${formatSigned(upper)} (${formatShare(level, 1)} each), on ${formatCounted(rows, 'labelled request')} ` +
    `of ${formatCounted(days, 'day')}${sooner}`
  );
}

/** What the guard does next, by its rules. */
export function nextText(guard: GuardProgress): string {
  const { challenger, champion, answered, seconds, wants, isOverridden, nextLook, givesUpAt } =
    guard;
  const isReached = answered.requests >= wants.requests && seconds >= wants.seconds;
  const proof = isOverridden
    ? 'if it is at least as good, because the gate had rejected it'
    : 'unless it is worse';
  const when = isReached ? 'then' : 'once both are reached';
  return (
    `Next look at ${minuteText(nextLook)}. v${challenger} stays ${when}, ${proof}. It goes back to ` +
    `v${champion} at once when more of its requests fail or it is clearly worse, and at ` +
    `${minuteText(givesUpAt)} if nothing is proven by then (domain clock, UTC).`
  );
}

function minuteText(instant: string): string {
  return instant.slice(0, 16).replace('T', ' ');
}
