import { EmptyState, Stack } from '@mantine/core';
import type { ReactNode } from 'react';
import { CopyCode } from './copy-code.tsx';
import { Section } from './section.tsx';

interface NotDeclaredProps {
  readonly heading: string;
  readonly icon: ReactNode;
  readonly title: string;
  readonly description: string;
  /** A section of `millwright.yaml` to begin with. */
  readonly example: string;
}

/** Where something begins with a section of `millwright.yaml`: what to write and to run. */
export function NotDeclared(props: NotDeclaredProps): ReactNode {
  const { heading, icon, title, description, example } = props;
  return (
    <Section title={heading}>
      <EmptyState
        icon={icon}
        title={title}
        description={`${description}; see what that would change, then make it so.`}
      >
        <Stack gap="xs">
          <CopyCode isBlock code={example} />
          <CopyCode isBlock code="millwright plan" />
          <CopyCode isBlock code="millwright apply" />
        </Stack>
      </EmptyState>
    </Section>
  );
}
