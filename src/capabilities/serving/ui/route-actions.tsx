import { Button, Group } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconArrowBackUp, IconRepeat } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import type { Endpoint, RouteRevision } from '../contract.ts';
import { revisionBefore } from './revisions.ts';
import { RouteChangeForm } from './route-change-form.tsx';

interface RouteActionsProps {
  readonly endpoint: Endpoint;
  readonly revisions: readonly RouteRevision[];
}

/** What a person may do to a route from its page: go back, or exercise going back. */
export function RouteActions({ endpoint, revisions }: RouteActionsProps): ReactNode {
  const [isRollingBack, rollback] = useDisclosure(false);
  const [isDrilling, drill] = useDisclosure(false);
  const current = endpoint.route;
  const former = current === null ? null : revisionBefore(current, revisions);
  if (current === null || former === null) return null;
  const change = { endpoint: endpoint.name, current, to: former };
  return (
    <Group gap="xs">
      <Button
        size="xs"
        variant="default"
        leftSection={<IconRepeat size={15} aria-hidden />}
        onClick={drill.open}
      >
        Drill…
      </Button>
      <Button
        size="xs"
        variant="light"
        color="red"
        leftSection={<IconArrowBackUp size={15} aria-hidden />}
        onClick={rollback.open}
      >
        Roll back…
      </Button>
      {isRollingBack && <RouteChangeForm kind="rollback" {...change} close={rollback.close} />}
      {isDrilling && <RouteChangeForm kind="drill" {...change} close={drill.close} />}
    </Group>
  );
}
