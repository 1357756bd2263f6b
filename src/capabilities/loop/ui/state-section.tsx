import { Alert, SimpleGrid, Stack } from '@mantine/core';
import { IconPlayerPause } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { formatCount } from '../../../web/kit/format.ts';
import { Instant } from '../../../web/kit/instant.tsx';
import { PageLink } from '../../../web/kit/link.tsx';
import { NumberCard, type Tone } from '../../../web/kit/number-card.tsx';
import type { Instance, Loop } from '../contract.ts';
import { INSTANCES } from './instances-section.tsx';

/** What the loop is doing now, and what keeps it from doing more. */
export function StateSection({ loop }: { readonly loop: Loop }): ReactNode {
  return (
    <Stack gap="sm" component="section" aria-label="State now">
      <StoppedAlert loop={loop} />
      <SimpleGrid cols={{ base: 2, sm: 3, lg: 5 }} spacing="sm" verticalSpacing="sm">
        <ChampionCard loop={loop} />
        <NowCard loop={loop} />
        <CooldownCard until={loop.cooldownUntil} span={loop.spec.cooldown} />
        <BudgetCard {...loop.retrains} />
        <BreakerCard {...loop.breaker} />
      </SimpleGrid>
    </Stack>
  );
}

function StoppedAlert({ loop: { stopped } }: { readonly loop: Loop }): ReactNode {
  if (stopped === null) return null;
  const { by, reason, since, until } = stopped;
  return (
    <Alert
      color="yellow"
      icon={<IconPlayerPause aria-hidden />}
      title={until === null ? `Stopped by ${by}` : `Frozen by ${by}`}
    >
      {reason} · since <Instant value={since} clock="domain" withClock />
      {until !== null && (
        <>
          {' · ends by itself at '}
          <Instant value={until} clock="domain" withClock />
        </>
      )}
    </Alert>
  );
}

function ChampionCard({ loop: { champion } }: { readonly loop: Loop }): ReactNode {
  if (champion === null) {
    return <NumberCard label="Champion" value="none" about="nothing is deployed yet" tone="warn" />;
  }
  const { model, version, since } = champion;
  return (
    <NumberCard
      label="Champion"
      value={
        <PageLink
          to="/models/$model/versions/$version"
          params={{ model, version: String(version) }}
        >
          {`v${version}`}
        </PageLink>
      }
      about={
        <>
          {'since '}
          <Instant value={since} clock="domain" withClock />
        </>
      }
    />
  );
}

const STATES: Readonly<Record<string, string>> = {
  training: 'trains',
  evaluating: 'at the gate',
  held: 'waits for approval',
  rolling_out: 'rolls out',
  guarding: 'under guard',
};

function NowCard({ loop }: { readonly loop: Loop }): ReactNode {
  const { instance, stopped, cooldownUntil } = loop;
  if (instance !== null) {
    const tone: Tone = instance.state === 'held' ? 'warn' : 'plain';
    return (
      <NumberCard
        label="Now"
        value={
          <PageLink
            to="/loop"
            search={{ loop: instance.loop, instance: instance.id }}
            resetScroll={false}
            underline="hover"
            title="Its decisions only"
          >
            {STATES[instance.state] ?? instance.state}
          </PageLink>
        }
        about={<Underway instance={instance} />}
        tone={tone}
      />
    );
  }
  if (stopped !== null) {
    const value = stopped.until === null ? 'stopped' : 'frozen';
    return (
      <NumberCard
        label="Now"
        value={<ToInstances>{value}</ToInstances>}
        about={stopped.reason}
        tone="warn"
      />
    );
  }
  const value = cooldownUntil === null ? 'watches' : 'cools down';
  return (
    <NumberCard
      label="Now"
      value={<ToInstances>{value}</ToInstances>}
      about="no instance is under way"
    />
  );
}

function Underway({ instance }: { readonly instance: Instance }): ReactNode {
  const { challenger, waitsFor, nextLook, startedAt } = instance;
  return (
    <>
      {challenger === null ? 'since ' : `v${challenger}, since `}
      <Instant value={startedAt} clock="domain" />
      {waitsFor !== null && ` · ${waitsFor}`}
      {nextLook !== null && (
        <>
          {' · next look '}
          <Instant value={nextLook} clock="domain" withClock />
        </>
      )}
    </>
  );
}

function CooldownCard(props: { readonly until: string | null; readonly span: string }): ReactNode {
  const { until, span } = props;
  if (until === null) {
    return (
      <NumberCard
        label="Cooldown"
        value={<ToInstances>none</ToInstances>}
        about={`${span} after each instance`}
      />
    );
  }
  return (
    <NumberCard
      label="Cooldown"
      value={
        <ToInstances>
          <Instant value={until} clock="domain" />
        </ToInstances>
      }
      about={`ends then, by the domain clock, UTC; ${span} after each instance, longer after failures`}
      tone="warn"
    />
  );
}

function BudgetCard({ used, of, per }: Loop['retrains']): ReactNode {
  return (
    <NumberCard
      label="Budget"
      value={<ToInstances>{`${formatCount(used)} of ${formatCount(of)}`}</ToInstances>}
      about={`retrains in ${per}`}
      tone={used >= of ? 'warn' : 'plain'}
    />
  );
}

function BreakerCard({ failures, of }: Loop['breaker']): ReactNode {
  const isOpen = failures >= of;
  return (
    <NumberCard
      label="Breaker"
      value={<ToInstances>{isOpen ? 'open' : 'closed'}</ToInstances>}
      about={
        isOpen
          ? `${failures} instances in a row did not end in a promotion: look, then resume`
          : `${failures} of ${of} failures in a row that open it`
      }
      tone={isOpen ? 'bad' : 'plain'}
    />
  );
}

/** Further down on the page: what a budget or a breaker counts. */
function ToInstances({ children }: { readonly children: ReactNode }): ReactNode {
  return (
    <PageLink to="/loop" search={true} hash={INSTANCES} underline="hover">
      {children}
    </PageLink>
  );
}
