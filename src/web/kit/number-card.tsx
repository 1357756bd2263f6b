import { Paper, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import classes from './number-card.module.css';

export type Tone = 'good' | 'bad' | 'warn' | 'plain';

interface NumberCardProps {
  readonly label: string;
  readonly value: ReactNode;
  /** What the number is compared with or made of. */
  readonly about?: ReactNode;
  readonly tone?: Tone;
}

/**
 * One number of a page. Where a page shows the rows behind it, pass the value as a `PageLink`.
 */
export function NumberCard({ label, value, about, tone = 'plain' }: NumberCardProps): ReactNode {
  return (
    <Paper withBorder px="md" py="sm" className={classes['card']} data-tone={tone}>
      <Text size="xs" c="dimmed">
        {label}
      </Text>
      <div className={classes['value']}>{value}</div>
      <Text component="div" size="xs" c="dimmed" className={classes['about']}>
        {about}
      </Text>
    </Paper>
  );
}
