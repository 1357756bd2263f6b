import { Button, Group, SegmentedControl, SimpleGrid, Stack, Text, Title } from '@mantine/core';
import { IconRefresh } from '@tabler/icons-react';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { ErrorState } from '../../../web/kit/error-state.tsx';
import { formatCount } from '../../../web/kit/format.ts';
import { Instant } from '../../../web/kit/instant.tsx';
import { PageLink } from '../../../web/kit/link.tsx';
import { Loaded } from '../../../web/kit/loaded.tsx';
import { NumberCard } from '../../../web/kit/number-card.tsx';
import { PageHeader } from '../../../web/kit/page-header.tsx';
import { Card, Section } from '../../../web/kit/section.tsx';
import { StatusBadge } from '../../../web/kit/status-badge.tsx';
import { useChange } from '../../../web/kit/use-change.ts';
import { useRoute } from '../../../web/kit/use-route.ts';
import {
  getMonitor,
  runMonitor,
  type CheckState,
  type Evaluation,
  type MonitorDetail,
} from '../contract.ts';
import { AlertsSection } from './alerts-section.tsx';
import { Anchored } from './anchored.tsx';
import { countsOf, STATES, toneOf, wordOf } from './check-words.ts';
import { daysBefore } from './day-range.ts';
import { DistributionSection } from './distribution-section.tsx';
import { FindingsTable, foundIn } from './findings-table.tsx';
import { QualitySection } from './quality-section.tsx';
import { UnitsSection } from './units-section.tsx';

/** Everything that is watched of one endpoint, and what was found. */
export function MonitorPage(): ReactNode {
  const { monitor } = useParams({ from: '/monitors/$monitor' });
  const found = useRoute(
    getMonitor,
    { params: { monitor } },
    { subjects: [`monitor/${monitor}`, 'monitors'] },
  );
  return (
    <>
      <PageHeader
        title={`Monitor ${monitor}`}
        about={<PageLink to="/monitors">All monitors</PageLink>}
      >
        <EvaluateButton monitor={monitor} />
      </PageHeader>
      <Loaded query={found} height={400}>
        {(data) => <MonitorOf monitor={data} />}
      </Loaded>
    </>
  );
}

function EvaluateButton({ monitor }: { readonly monitor: string }): ReactNode {
  const run = useChange(runMonitor, () => undefined);
  return (
    <Stack gap="xs">
      <Button
        size="xs"
        variant="default"
        leftSection={<IconRefresh size={15} aria-hidden />}
        loading={run.isPending}
        title="As of the end of the last whole period"
        onClick={() => {
          run.mutate({ params: { monitor }, body: {} });
        }}
      >
        Evaluate now
      </Button>
      {run.data !== undefined && (
        <PageLink
          role="status"
          size="xs"
          to="/monitors/$monitor/evaluations/$evaluation"
          params={{ monitor, evaluation: run.data.id }}
        >
          {'evaluated as of '}
          <Instant value={run.data.at} clock="domain" />
        </PageLink>
      )}
      {run.error !== null && <ErrorState error={run.error} />}
    </Stack>
  );
}

function MonitorOf({ monitor }: { readonly monitor: MonitorDetail }): ReactNode {
  const { span = DAYS[1] } = useSearch({ from: '/monitors/$monitor' });
  const { name, latest, next, references } = monitor;
  if (latest === null) {
    return (
      <Section title="Not evaluated yet">
        <Text size="sm">
          {next === null ? (
            'This monitor looks when asked: use the button above.'
          ) : (
            <>
              {'The first evaluation comes at '}
              <Instant value={next} clock="domain" withClock />
              {'. The button above looks at what there is now.'}
            </>
          )}
        </Text>
      </Section>
    );
  }
  const from = daysBefore(latest.at, span);
  return (
    <Stack gap="md">
      <Health monitor={monitor} latest={latest} />
      <Findings latest={latest} />
      <DaysChoice days={span} />
      <Anchored id="quality">
        <QualitySection monitor={name} from={from} references={references} />
      </Anchored>
      <Anchored id="distribution">
        <DistributionSection monitor={name} from={from} checks={latest.checks} />
      </Anchored>
      <Anchored id="units">
        <UnitsSection monitor={monitor} />
      </Anchored>
      <AlertsSection monitor={name} />
    </Stack>
  );
}

/** Days back that charts can show. */
const DAYS = [28, 92, 184] as const;

function DaysChoice({ days }: { readonly days: number }): ReactNode {
  const navigate = useNavigate({ from: '/monitors/$monitor' });
  return (
    <Group gap="xs">
      <Text size="sm">Charts show the last</Text>
      <SegmentedControl
        size="xs"
        aria-label="Days shown"
        data={DAYS.map((one) => ({ value: String(one), label: `${one} days` }))}
        value={String(days)}
        onChange={(value) => {
          const next = DAYS.find((one) => String(one) === value);
          void navigate({ search: (was) => ({ ...was, span: next }), resetScroll: false });
        }}
      />
    </Group>
  );
}

const ABOUT: Readonly<Record<CheckState, string>> = {
  alert: 'worth waking somebody',
  warn: 'worth a look',
  too_few_labels: 'nothing can be said yet',
  no_data: 'nothing can be said',
  ok: 'as it was',
};

interface HealthProps {
  readonly monitor: MonitorDetail;
  readonly latest: Evaluation;
}

/** How many things are in which state; each number lists them. */
function Health({ monitor: { name, next }, latest }: HealthProps): ReactNode {
  const counts = countsOf(latest.checks);
  return (
    <Stack gap="xs" component="section" aria-label="Health">
      <Group gap="xs">
        <StatusBadge tone={toneOf(latest.state)}>{wordOf(latest.state)}</StatusBadge>
        <Text size="sm" c="dimmed">
          {'as of '}
          <PageLink
            to="/monitors/$monitor/evaluations/$evaluation"
            params={{ monitor: name, evaluation: latest.id }}
          >
            <Instant value={latest.at} clock="domain" />
          </PageLink>
          {' domain clock, UTC'}
          {next !== null && (
            <>
              {' · next '}
              <Instant value={next} clock="domain" />
            </>
          )}
        </Text>
      </Group>
      <SimpleGrid cols={{ base: 2, sm: 3, lg: 5 }} spacing="sm" verticalSpacing="sm">
        {STATES.map((state) => {
          const count = counts.get(state) ?? 0;
          const isLoud = count > 0 && (state === 'alert' || state === 'warn');
          return (
            <NumberCard
              key={state}
              label={wordOf(state)}
              value={
                <PageLink
                  to="/monitors/$monitor"
                  params={{ monitor: name }}
                  search={(was) => ({ ...was, show: state })}
                  resetScroll={false}
                >
                  {formatCount(count)}
                </PageLink>
              }
              about={ABOUT[state]}
              tone={isLoud ? toneOf(state) : 'plain'}
            />
          );
        })}
      </SimpleGrid>
    </Stack>
  );
}

function Findings({ latest }: { readonly latest: Evaluation }): ReactNode {
  const { show } = useSearch({ from: '/monitors/$monitor' });
  const navigate = useNavigate({ from: '/monitors/$monitor' });
  const found = foundIn(latest, ({ state }) =>
    show === undefined ? state !== 'ok' : state === show,
  );
  const name = show === undefined ? 'Findings' : `Findings: ${wordOf(show)}`;
  const calm = latest.checks.length;
  return (
    <Card label="Findings">
      {found.length === 0 ? (
        <Title order={2}>{name}</Title>
      ) : (
        <FindingsTable name={name} heading={name} found={found} />
      )}
      <Group gap="xs" mt="xs">
        {found.length === 0 && (
          <Text size="sm">
            {show === undefined
              ? `All of the ${formatCount(calm)} things looked at are as they were.`
              : `None of the ${formatCount(calm)} things looked at.`}
          </Text>
        )}
        {show !== undefined && (
          <Button
            size="compact-xs"
            variant="subtle"
            onClick={() =>
              void navigate({
                search: (was) => ({ ...was, show: undefined }),
                resetScroll: false,
              })
            }
          >
            Show everything that is not ok
          </Button>
        )}
      </Group>
    </Card>
  );
}
