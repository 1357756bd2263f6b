import { Group, Progress, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { formatMicroseconds } from '../../../web/kit/format.ts';
import type { Prediction } from '../../predictions/contract.ts';
import { latencyParts } from './latency.ts';

/** Where the time of one request went. */
export function LatencySplit({ prediction }: { readonly prediction: Prediction }): ReactNode {
  const parts = latencyParts(prediction);
  return (
    <div style={{ width: 'min(320px, 100%)' }}>
      <Text inherit span fw={600}>
        {formatMicroseconds(prediction.totalUs)}
      </Text>
      <Progress.Root size={8} my={4} aria-hidden>
        {parts.map(({ name, us, color }) => (
          <Progress.Section
            key={name}
            withAria={false}
            color={color}
            value={prediction.totalUs === 0 ? 0 : (100 * us) / prediction.totalUs}
          />
        ))}
      </Progress.Root>
      <Group gap="0 12px">
        {parts.map(({ name, us, color }) => (
          <Text key={name} size="xs" c="dimmed" span>
            <span
              aria-hidden
              style={{
                display: 'inline-block',
                width: 8,
                height: 8,
                borderRadius: 2,
                marginRight: 4,
                background: `var(--mantine-color-${color.replace('.', '-')})`,
              }}
            />
            {`${name} ${formatMicroseconds(us)}`}
          </Text>
        ))}
      </Group>
    </div>
  );
}
