import { Alert, Button, Code, Group, Text } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { toAppError } from '../../base/errors.ts';

interface ErrorStateProps {
  readonly error: unknown;
  readonly retry?: () => void;
  /** More help than the error's own hint. */
  readonly children?: ReactNode;
}

/** What failed, its stable code, and what to do. */
export function ErrorState({ error, retry, children }: ErrorStateProps): ReactNode {
  const { code, message, hint } = toAppError(error);
  return (
    <Alert
      color="red"
      variant="light"
      icon={<IconAlertTriangle size={18} aria-hidden />}
      title={message}
      role="alert"
    >
      <Group gap="xs" mb={4}>
        <Code>{code}</Code>
        {hint !== undefined && <Text size="sm">{hint}</Text>}
      </Group>
      {children}
      {retry !== undefined && (
        <Button size="compact-sm" variant="default" mt="xs" onClick={retry}>
          Try again
        </Button>
      )}
    </Alert>
  );
}
