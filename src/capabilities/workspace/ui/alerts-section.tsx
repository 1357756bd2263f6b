import { List, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { CopyCode } from '../../../web/kit/copy-code.tsx';
import { formatCounted } from '../../../web/kit/format.ts';
import { Instant } from '../../../web/kit/instant.tsx';
import { PageLink } from '../../../web/kit/link.tsx';
import { Section } from '../../../web/kit/section.tsx';
import { StatusBadge } from '../../../web/kit/status-badge.tsx';
import type { Monitor } from '../../monitoring/contract.ts';
import type { Endpoint } from '../../serving/contract.ts';
import { openAlerts, type OpenAlert } from './open-alerts.ts';

/** The page is about what matters now; a monitor's own page has the rest. */
const SHOWN = 8;

interface AlertsSectionProps {
  readonly monitors: readonly Monitor[];
  readonly endpoints: readonly Endpoint[];
}

/** What monitors found wrong and has not ended, gravest first. */
export function AlertsSection({ monitors, endpoints }: AlertsSectionProps): ReactNode {
  const open = openAlerts(monitors);
  const [endpoint] = endpoints;
  return (
    <Section
      title="Open alerts"
      aside={
        monitors.length > 0 && (
          <PageLink to="/monitors" size="sm">
            {formatCounted(monitors.length, 'monitor')}
          </PageLink>
        )
      }
    >
      {monitors.length === 0 ? (
        <Stack gap="xs">
          <Text size="sm" c="dimmed">
            Nothing watches the endpoints yet. Declare a monitor in millwright.yaml, then apply it:
          </Text>
          <CopyCode code={`monitors: { ${endpoint?.name ?? 'NAME'}: { auto: true } }`} isBlock />
          <CopyCode code="millwright apply" isBlock />
        </Stack>
      ) : open.length === 0 ? (
        <Text size="sm">Nothing is wrong that a monitor looks at.</Text>
      ) : (
        <List listStyleType="none" size="sm" spacing="sm">
          {open.slice(0, SHOWN).map((alert) => (
            <List.Item key={`${alert.monitor} ${alert.kind} ${alert.subject} ${alert.version}`}>
              <Alarm alert={alert} />
            </List.Item>
          ))}
          {open.length > SHOWN && (
            <List.Item>
              <PageLink to="/monitors">{`and ${open.length - SHOWN} more`}</PageLink>
            </List.Item>
          )}
        </List>
      )}
    </Section>
  );
}

function Alarm({ alert }: { readonly alert: OpenAlert }): ReactNode {
  const { monitor, evaluation, title, state, explanation, since } = alert;
  return (
    <>
      <StatusBadge tone={state === 'alert' ? 'bad' : 'warn'}>{state}</StatusBadge>{' '}
      <PageLink
        to="/monitors/$monitor/evaluations/$evaluation"
        params={{ monitor, evaluation }}
        fw={600}
      >
        {title}
      </PageLink>
      <Text size="sm">{explanation}</Text>
      {since !== null && (
        <Text size="xs" c="dimmed">
          {'since '}
          <Instant value={since} clock="domain" withClock />
        </Text>
      )}
    </>
  );
}
