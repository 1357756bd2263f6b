import { Text, type TextProps } from '@mantine/core';
import type { ReactNode } from 'react';
import { instantText } from './instant-text.ts';

/** Which of the two clocks a time was read from; they differ in a replay workspace. */
export type ClockName = 'domain' | 'wall';

interface InstantProps extends TextProps {
  readonly value: string;
  readonly clock: ClockName;
  /** Names the clock in the text, where no column header or label does. */
  readonly withClock?: boolean;
}

/** A point in time, in UTC, by a named clock. */
export function Instant({ value, clock, withClock = false, ...text }: InstantProps): ReactNode {
  return (
    <Text span inherit {...text} style={{ fontVariantNumeric: 'tabular-nums' }}>
      <time dateTime={value} title={`${value} (${clock} clock, UTC)`}>
        {instantText(value)}
      </time>
      {withClock && (
        <Text span inherit c="dimmed">
          {` ${clock} clock`}
        </Text>
      )}
    </Text>
  );
}
