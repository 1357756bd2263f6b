import { SimpleGrid } from '@mantine/core';
import type { ReactNode } from 'react';
import { CopyCode } from '../../../web/kit/copy-code.tsx';
import { Facts, type Fact } from '../../../web/kit/facts.tsx';
import { formatBytes, formatCounted } from '../../../web/kit/format.ts';
import { Instant } from '../../../web/kit/instant.tsx';
import { Section } from '../../../web/kit/section.tsx';
import { StatusBadge } from '../../../web/kit/status-badge.tsx';
import type { Health, Status } from '../contract.ts';

interface WorkspaceSectionProps {
  readonly status: Status;
  readonly health: Health;
}

/** The processes behind the workspace and where its state lies. */
export function WorkspaceSection({ status, health }: WorkspaceSectionProps): ReactNode {
  const { engine } = status;
  const process: readonly Fact[] = [
    ['State folder', <CopyCode key="folder" code={status.stateFolder} />],
    ['Database', status.database],
    ['Clock', status.clock],
    ['Domain time', <Instant key="now" value={status.now} clock="domain" />],
    ['Started', <Instant key="started" value={status.startedAt} clock="wall" withClock />],
    ['Main process', `pid ${status.pid}, ${formatBytes(status.residentBytes)} resident`],
    [
      'Engine',
      <>
        <StatusBadge tone={engine.state === 'ready' ? 'good' : 'bad'}>{engine.state}</StatusBadge>
        {` ${engineText(engine)}`}
      </>,
    ],
  ];
  const components: readonly Fact[] = health.components.map(({ name, status, detail }) => [
    name,
    <>
      <StatusBadge tone={status === 'ok' ? 'good' : 'bad'}>{status}</StatusBadge>
      {detail !== undefined && ` ${detail}`}
    </>,
  ]);
  return (
    <SimpleGrid cols={{ base: 1, md: 2 }} spacing="md">
      <Section title="Workspace">
        <Facts facts={process} />
      </Section>
      <Section title="Components">
        <Facts facts={components} />
      </Section>
    </SimpleGrid>
  );
}

function engineText({ pid, restarts }: Status['engine']): string {
  const parts = [
    ...(pid === null ? [] : [`pid ${pid}`]),
    ...(restarts === 0 ? [] : [formatCounted(restarts, 'restart')]),
  ];
  return parts.join(', ');
}
