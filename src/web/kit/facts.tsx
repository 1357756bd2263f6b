import { DataList } from '@mantine/core';
import type { ReactNode } from 'react';
import classes from './facts.module.css';

export type Fact = readonly [label: string, value: ReactNode];

interface FactsProps {
  /** Facts whose value is null are left out. */
  readonly facts: readonly Fact[];
}

/** Named values of one thing, one a line. */
export function Facts({ facts }: FactsProps): ReactNode {
  return (
    <DataList size="sm" gap={6} labelWidth="104px" className={classes['facts']}>
      {facts
        .filter(([, value]) => value !== null)
        .map(([label, value]) => (
          <DataList.Item key={label}>
            <DataList.ItemLabel>{label}</DataList.ItemLabel>
            <DataList.ItemValue className={classes['value']}>{value}</DataList.ItemValue>
          </DataList.Item>
        ))}
    </DataList>
  );
}
