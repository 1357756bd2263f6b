import { Button, Code, Group, PasswordInput, Stack, Text, Title } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent, type ReactNode } from 'react';
import { toAppError } from '../base/errors.ts';
import { signIn } from './kit/session.ts';

/** Asks for a token in the place of a page that the server would not show. */
export function SignIn(): ReactNode {
  const client = useQueryClient();
  const [token, setToken] = useState('');
  const [error, setError] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);

  const enter = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    try {
      await signIn(token.trim());
      await client.resetQueries();
    } catch (thrown) {
      const { message, hint } = toAppError(thrown);
      setError(hint === undefined ? message : `${message} ${hint}`);
      setBusy(false);
    }
  };

  return (
    <Stack maw={440} mx="auto" mt="10vh" gap="sm">
      <Title order={1} size="h2">
        This server asks for a token
      </Title>
      <Text size="sm" c="dimmed">
        It is asked for once in this browser, for a week. An admin makes one on the command line:
      </Text>
      <Code block>millwright auth create NAME --scope read</Code>
      <form
        onSubmit={(event) => {
          void enter(event);
        }}
      >
        <Stack gap="sm">
          <PasswordInput
            label="Token"
            description="It begins with mwt_"
            value={token}
            error={error}
            autoComplete="current-password"
            spellCheck={false}
            data-autofocus
            autoFocus
            onChange={(event) => {
              setToken(event.currentTarget.value);
              setError(null);
            }}
          />
          <Group>
            <Button type="submit" loading={isBusy} disabled={token.trim() === ''}>
              Sign in
            </Button>
          </Group>
        </Stack>
      </form>
    </Stack>
  );
}
