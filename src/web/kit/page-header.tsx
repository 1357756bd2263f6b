import { Group, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';

interface PageHeaderProps {
  readonly title: string;
  /** What is shown, in a line: beside the title on wide screens. */
  readonly about?: ReactNode;
  readonly children?: ReactNode;
}

/** A page's heading, and the tab's title; `children` are what acts on the whole page. */
export function PageHeader({ title, about, children }: PageHeaderProps): ReactNode {
  return (
    <Group justify="space-between" gap="xs" mb="md" component="header">
      <title>{`${title} · Millwright`}</title>
      <Group gap="sm" align="baseline">
        <Title order={1}>{title}</Title>
        {about !== undefined && (
          <Text component="div" size="sm" c="dimmed">
            {about}
          </Text>
        )}
      </Group>
      {children}
    </Group>
  );
}
