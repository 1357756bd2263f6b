import { Group } from '@mantine/core';
import type { ReactNode } from 'react';
import { StatusBadge } from '../../../web/kit/status-badge.tsx';
import { deploymentText, type Deployment } from './deployments.ts';

/** Whether a version gets traffic, and where. */
export function DeploymentBadges(props: {
  readonly deployments: readonly Deployment[];
}): ReactNode {
  if (props.deployments.length === 0) return null;
  return (
    <Group gap={4} wrap="nowrap" component="span" display="inline-flex">
      {props.deployments.map((one) => (
        <StatusBadge
          key={one.endpoint}
          tone={one.state === 'serving' ? 'good' : 'plain'}
          title={`route revision ${one.revision}`}
        >
          {deploymentText(one)}
        </StatusBadge>
      ))}
    </Group>
  );
}
