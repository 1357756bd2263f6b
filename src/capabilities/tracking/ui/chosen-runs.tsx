import { Button, Checkbox } from '@mantine/core';
import { IconArrowsDiff } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Column } from '../../../web/kit/data-table.tsx';
import type { RunSummary } from '../contract.ts';
import { COMPARED_MAX } from './compared-runs.ts';

/** Boxes that choose runs to compare; the address holds them, in the order they were chosen. */
export function chosenColumn(
  chosen: readonly string[] = [],
  choose: (id: string, isChosen: boolean) => void,
): Column<RunSummary> {
  return {
    id: 'chosen',
    header: 'Compare',
    canSort: false,
    isControl: true,
    value: () => null,
    cell: ({ id, name }) => (
      <Checkbox
        size="xs"
        aria-label={`Compare ${name === '' ? id : name}`}
        checked={chosen.includes(id)}
        disabled={chosen.length >= COMPARED_MAX && !chosen.includes(id)}
        onChange={(event) => {
          choose(id, event.currentTarget.checked);
        }}
      />
    ),
  };
}

/** Undefined for none, so that the address is as it was. */
export function nextChosen(
  chosen: readonly string[],
  id: string,
  isChosen: boolean,
): string[] | undefined {
  const others = chosen.filter((one) => one !== id);
  const next = isChosen ? [...others, id] : others;
  return next.length === 0 ? undefined : next;
}

export function CompareLink({ chosen }: { readonly chosen: readonly string[] }): ReactNode {
  const navigate = useNavigate();
  return (
    <Button
      size="xs"
      variant={chosen.length < 2 ? 'default' : 'filled'}
      leftSection={<IconArrowsDiff size={14} aria-hidden />}
      disabled={chosen.length < 2}
      title={`Choose two to ${COMPARED_MAX} runs in the list`}
      onClick={() => void navigate({ to: '/runs/compare', search: { runs: [...chosen] } })}
    >
      {chosen.length === 0 ? 'Compare' : `Compare ${chosen.length}`}
    </Button>
  );
}
