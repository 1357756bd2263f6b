import { Button, Checkbox, Popover, ScrollArea, Stack, TextInput } from '@mantine/core';
import { IconColumns3 } from '@tabler/icons-react';
import { useState, type ReactNode } from 'react';

/** More than anybody reads side by side; the address holds them too. */
const CHOSEN_MAX = 12;
/** Listed at once of many metrics; the box above finds the others. */
const LISTED_MAX = 60;

interface ColumnChoiceProps {
  /** As MLflow's searches name them: `metrics.auc`. */
  readonly all: readonly string[];
  readonly chosen: readonly string[];
  readonly choose: (fields: readonly string[]) => void;
}

/** Which metrics and parameters are columns. */
export function ColumnChoice({ all, chosen, choose }: ColumnChoiceProps): ReactNode {
  const [text, setText] = useState('');
  const found = all.filter((field) => field.toLowerCase().includes(text.toLowerCase()));
  return (
    <Popover position="bottom-end" shadow="md" width={280} trapFocus>
      <Popover.Target>
        <Button
          size="xs"
          variant="default"
          leftSection={<IconColumns3 size={14} aria-hidden />}
          disabled={all.length === 0}
        >
          Columns
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <TextInput
          size="xs"
          mb="xs"
          aria-label="Find a metric or parameter"
          placeholder="Find a metric or parameter"
          value={text}
          onChange={(event) => {
            setText(event.currentTarget.value);
          }}
        />
        <ScrollArea.Autosize mah={320}>
          <Stack gap={6} role="group" aria-label="Metrics and parameters shown">
            {found.slice(0, LISTED_MAX).map((field) => (
              <Checkbox
                key={field}
                size="xs"
                label={field}
                checked={chosen.includes(field)}
                disabled={chosen.length >= CHOSEN_MAX && !chosen.includes(field)}
                onChange={() => {
                  choose(
                    chosen.includes(field)
                      ? chosen.filter((one) => one !== field)
                      : [...chosen, field],
                  );
                }}
              />
            ))}
          </Stack>
        </ScrollArea.Autosize>
      </Popover.Dropdown>
    </Popover>
  );
}
