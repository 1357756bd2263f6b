import { Button, Group, TextInput } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { useState, type FormEvent, type ReactNode } from 'react';

interface RunSearchFormProps {
  readonly filter: string | undefined;
  readonly search: (filter: string | undefined) => void;
}

/** Narrows the list: a part of a name, or MLflow's filter. */
export function RunSearchForm({ filter, search }: RunSearchFormProps): ReactNode {
  const [text, setText] = useState(filter ?? '');
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    search(text.trim() === '' ? undefined : text.trim());
  };
  return (
    <form onSubmit={submit} style={{ flex: '1 1 320px', maxWidth: 560 }}>
      <Group gap="xs" wrap="nowrap">
        <TextInput
          flex={1}
          size="xs"
          data-search
          aria-label="Search runs"
          placeholder="Name, or metrics.auc > 0.8 and params.lr = '0.05'"
          leftSection={<IconSearch size={14} aria-hidden />}
          spellCheck={false}
          autoComplete="off"
          maxLength={5000}
          value={text}
          onChange={(event) => {
            setText(event.currentTarget.value);
          }}
        />
        <Button type="submit" size="xs" variant="default">
          Search
        </Button>
      </Group>
    </form>
  );
}
