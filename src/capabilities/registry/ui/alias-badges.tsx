import { Group } from '@mantine/core';
import type { ReactNode } from 'react';
import { formatShort } from '../../../web/kit/format.ts';
import { StatusBadge } from '../../../web/kit/status-badge.tsx';

const ALIAS_SHOWN = 24;

/** Names that lead to a version: `champion`. */
export function AliasBadges({ aliases }: { readonly aliases: readonly string[] }): ReactNode {
  return (
    <Group gap={4} component="span" display="inline-flex">
      {aliases.map((alias) => (
        <StatusBadge key={alias} tone="plain" title={alias}>
          {`@${formatShort(alias, ALIAS_SHOWN)}`}
        </StatusBadge>
      ))}
    </Group>
  );
}
