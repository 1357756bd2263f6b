import { Alert, Group, List, Text } from '@mantine/core';
import { IconAlertTriangle, IconCircleCheck } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { formatCounted } from '../../../web/kit/format.ts';
import type { Health, Status } from '../contract.ts';
import type { OpenAlert } from './open-alerts.ts';
import { troubles, type LogStatus } from './wellbeing.ts';

interface WellbeingProps {
  readonly health: Health;
  readonly status: Status;
  readonly log: LogStatus;
  readonly alerts: readonly OpenAlert[];
}

/** The first thing to read: all is well, or what is not and what that means. */
export function Wellbeing({ health, status, log, alerts }: WellbeingProps): ReactNode {
  const found = troubles(health, status, log, alerts);
  if (found.length === 0) {
    return (
      <Group gap={8} role="status">
        <IconCircleCheck size={18} color="var(--mantine-color-teal-filled)" aria-hidden />
        <Text size="sm" fw={500}>
          Everything is well
        </Text>
        <Text size="sm" c="dimmed">
          {`${formatCounted(health.components.length, 'component')} up, engine ready, every answered request logged`}
        </Text>
      </Group>
    );
  }
  return (
    <Alert
      role="alert"
      color={found[0]?.isSevere === true ? 'red' : 'yellow'}
      icon={<IconAlertTriangle size={18} aria-hidden />}
      title={`${formatCounted(found.length, 'thing needs', 'things need')} attention`}
    >
      <List size="sm">
        {found.map(({ what, about }) => (
          <List.Item key={what}>
            <Text span inherit fw={600}>
              {what}
            </Text>
            {`. ${about}`}
          </List.Item>
        ))}
      </List>
    </Alert>
  );
}
