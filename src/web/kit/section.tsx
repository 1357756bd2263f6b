import { Group, Paper, Title, type PaperProps } from '@mantine/core';
import { useId, type ReactNode } from 'react';

/** What a link to a card must leave free for the header that covers the page's top. */
const HEADER_PX = 64;

interface CardProps extends PaperProps {
  /** Where a link within the page leads. */
  readonly id?: string;
  /** What a screen reader calls the card, where no heading names it. */
  readonly label?: string;
  readonly labelledBy?: string;
  readonly children: ReactNode;
}

/** A card whose content brings its own heading, as a `DataTable` does. */
export function Card({ label, labelledBy, id, children, ...paper }: CardProps): ReactNode {
  return (
    <Paper
      component="section"
      id={id}
      style={id === undefined ? undefined : { scrollMarginTop: HEADER_PX }}
      aria-label={label}
      aria-labelledby={labelledBy}
      withBorder
      p="md"
      {...paper}
    >
      {children}
    </Paper>
  );
}

interface SectionProps extends PaperProps {
  readonly title: string;
  /** Beside the title: a badge, a link. */
  readonly aside?: ReactNode;
  readonly children: ReactNode;
}

/** A titled card: one subject of a page. */
export function Section({ title, aside, children, ...paper }: SectionProps): ReactNode {
  const id = useId();
  return (
    <Card labelledBy={id} {...paper}>
      <Group justify="space-between" gap="xs" mb="sm">
        <Title order={2} id={id}>
          {title}
        </Title>
        {aside}
      </Group>
      {children}
    </Card>
  );
}
