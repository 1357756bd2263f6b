import { Group, Text } from '@mantine/core';
import { IconClockPause } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { Instant } from './kit/instant.tsx';
import classes from './replay-banner.module.css';

/** Says on every page that domain time is not the machine's, so that nobody misreads a date. */
export function ReplayBanner({ now }: { readonly now: string }): ReactNode {
  return (
    <Group gap="xs" className={classes['banner']} role="note" wrap="nowrap">
      <IconClockPause size={16} aria-hidden />
      <Text size="sm">
        replay clock:{' '}
        <Text span inherit fw={600}>
          <Instant value={now} clock="domain" /> UTC
        </Text>
        <Text span inherit visibleFrom="sm">
          {' '}
          · domain time moves only when the clock is advanced
        </Text>
      </Text>
    </Group>
  );
}
