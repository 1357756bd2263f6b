import { Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { stayedText } from './stayed-text.ts';
import type { Stayed } from './use-stayed.ts';

/** How a version that was not served everywhere was scored there, and what came of it. */
export function StayedNote({ version, fixed, error }: Stayed): ReactNode {
  if (version === null) return null;
  return (
    <Text size="sm" component="p" m={0} aria-label={`Had v${version} stayed`} role="note">
      {fixed === undefined
        ? error === null
          ? `Scoring v${version} on what others answered…`
          : `v${version} cannot be told of as if it had stayed: ${error.message}`
        : stayedText(fixed)}
    </Text>
  );
}
