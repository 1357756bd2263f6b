import { List } from '@mantine/core';
import type { ReactNode } from 'react';
import { Instant } from '../../../web/kit/instant.tsx';
import { Loaded } from '../../../web/kit/loaded.tsx';
import { Section } from '../../../web/kit/section.tsx';
import { useRoute } from '../../../web/kit/use-route.ts';
import { whyLoop } from '../contract.ts';

/** Why the loop does what it does, or why nothing happens. */
export function WhySection({ loop }: { readonly loop: string }): ReactNode {
  const why = useRoute(
    whyLoop,
    { params: { loop } },
    // Not polled: it counts the matured rows of weeks.
    { subjects: [`loop/${loop}`, 'endpoint/', 'monitor/'] },
  );
  return (
    <Section
      title="Why it does what it does, or nothing"
      aside={why.data !== undefined && <Instant value={why.data.at} clock="domain" withClock />}
    >
      <Loaded query={why} height={90}>
        {({ sentences }) => (
          <List size="sm" spacing={4}>
            {sentences.map((sentence) => (
              <List.Item key={sentence}>{sentence}</List.Item>
            ))}
          </List>
        )}
      </Loaded>
    </Section>
  );
}
