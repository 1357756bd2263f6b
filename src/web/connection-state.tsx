import { Loader, Tooltip } from '@mantine/core';
import type { ReactNode } from 'react';
import { useConnection, type Connection } from './kit/live.tsx';
import type { Tone } from './kit/number-card.tsx';
import { StatusBadge } from './kit/status-badge.tsx';

const STATES: Readonly<Record<Connection, { tone: Tone; about: string }>> = {
  connecting: { tone: 'plain', about: 'Opening the stream of events' },
  live: { tone: 'good', about: 'Following events: what changes shows here at once' },
  reconnecting: {
    tone: 'warn',
    about: 'The server does not answer; what is shown may be out of date',
  },
};

/** Whether what the pages show is current. */
export function ConnectionState(): ReactNode {
  const connection = useConnection();
  const { tone, about } = STATES[connection];
  return (
    <Tooltip label={about}>
      <div role="status" aria-label={`Connection: ${connection}. ${about}`}>
        <StatusBadge tone={tone}>
          {connection === 'reconnecting' && <Loader size={9} mr={5} color="yellow" />}
          {connection}
        </StatusBadge>
      </div>
    </Tooltip>
  );
}
