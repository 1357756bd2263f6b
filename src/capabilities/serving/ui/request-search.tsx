import { Button, Group, TextInput } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { useState, type FormEvent, type ReactNode } from 'react';
import { RequestId } from '../../predictions/contract.ts';

/** Opens the trace of a pasted request id. */
export function RequestSearch(): ReactNode {
  const navigate = useNavigate();
  const [text, setText] = useState('');
  const [problem, setProblem] = useState<string>();
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const parsed = RequestId.safeParse(text.trim());
    if (parsed.success) {
      void navigate({ to: '/trace/$requestId', params: { requestId: parsed.data } });
    } else {
      setProblem(`A request id is ${parsed.error.issues[0]?.message}, such as req_0199…`);
    }
  };
  return (
    <form onSubmit={submit}>
      <Group gap="xs" align="flex-start" mb="md" wrap="nowrap">
        <TextInput
          flex={1}
          maw={520}
          data-search
          aria-label="Request id"
          placeholder="Request id: the answer’s, or the one the client sent"
          leftSection={<IconSearch size={15} aria-hidden />}
          spellCheck={false}
          autoComplete="off"
          value={text}
          error={problem}
          onChange={(event) => {
            setText(event.currentTarget.value);
            setProblem(undefined);
          }}
        />
        <Button type="submit">Trace</Button>
      </Group>
    </form>
  );
}
