import { Badge, type MantineColor } from '@mantine/core';
import type { ReactNode } from 'react';
import classes from './status-badge.module.css';
import type { Tone } from './number-card.tsx';

const COLORS: Readonly<Record<Tone, MantineColor>> = {
  good: 'teal',
  warn: 'yellow',
  bad: 'red',
  plain: 'gray',
};

interface StatusBadgeProps {
  readonly tone: Tone;
  readonly title?: string;
  readonly children: ReactNode;
}

/** A state in a word; the colour only repeats what the word says. */
export function StatusBadge({ tone, title, children }: StatusBadgeProps): ReactNode {
  return (
    <Badge
      variant="light"
      color={COLORS[tone]}
      size="md"
      radius="sm"
      tt="none"
      fw={500}
      classNames={{ root: classes['root'] ?? '', label: classes['label'] ?? '' }}
      {...(title === undefined ? {} : { title })}
    >
      {children}
    </Badge>
  );
}

/** The tone of an HTTP status. */
export function statusTone(status: number): Tone {
  if (status < 400) return 'good';
  return status < 500 ? 'warn' : 'bad';
}
