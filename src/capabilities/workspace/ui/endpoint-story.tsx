import { SimpleGrid } from '@mantine/core';
import type { ReactNode } from 'react';
import type { Loop } from '../../loop/contract.ts';
import type { Monitor } from '../../monitoring/contract.ts';
import type { Endpoint } from '../../serving/contract.ts';
import { AlertsSection } from './alerts-section.tsx';
import { LevelSection } from './level-section.tsx';
import { StorySection } from './story-section.tsx';

interface EndpointStoryProps {
  /** The one asked for. */
  readonly shown: string | undefined;
  readonly endpoints: readonly Endpoint[];
  readonly monitors: readonly Monitor[];
  readonly loops: readonly Loop[];
  readonly now: string;
  /** Whether every check of the level is listed. */
  readonly isOpen: boolean;
}

/** What happened to one endpoint, what is wrong, and what to do next; for one that answers. */
export function EndpointStory(props: EndpointStoryProps): ReactNode {
  const { shown, endpoints, monitors, loops, now, isOpen } = props;
  const endpoint = chosen(endpoints, monitors, shown);
  if (endpoint === undefined) return null;
  const { name } = endpoint;
  return (
    <>
      <StorySection
        endpoint={name}
        endpoints={endpoints.filter(isDeployed)}
        monitors={monitors}
        loops={loops}
        now={now}
      />
      <SimpleGrid cols={{ base: 1, md: isOpen ? 1 : 2 }} spacing="md">
        <LevelSection endpoint={name} isOpen={isOpen} />
        <AlertsSection monitors={monitors} endpoints={endpoints} />
      </SimpleGrid>
    </>
  );
}

function isDeployed({ route }: Endpoint): boolean {
  return route !== null;
}

/** The one asked for, else one that is watched, else any that answers. */
function chosen(
  endpoints: readonly Endpoint[],
  monitors: readonly Monitor[],
  shown: string | undefined,
): Endpoint | undefined {
  const deployed = endpoints.filter(isDeployed);
  return (
    deployed.find(({ name }) => name === shown) ??
    deployed.find(({ name }) => monitors.some((monitor) => monitor.name === name)) ??
    deployed[0]
  );
}
