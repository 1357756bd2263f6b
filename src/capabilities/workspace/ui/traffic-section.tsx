import { Select } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useMemo, type ReactNode } from 'react';
import { LiveTraffic } from '../../../web/kit/live-traffic.tsx';
import { Section } from '../../../web/kit/section.tsx';
import type { TrafficPoint } from '../../predictions/contract.ts';
import type { Endpoint } from '../../serving/contract.ts';

interface TrafficSectionProps {
  readonly points: readonly TrafficPoint[];
  /** Domain time: the end of the window drawn. */
  readonly now: string;
  readonly endpoints: readonly Endpoint[];
  readonly endpoint: string | undefined;
}

/** Who served how much, second by second. */
export function TrafficSection(props: TrafficSectionProps): ReactNode {
  const { points, now, endpoints, endpoint } = props;
  const navigate = useNavigate({ from: '/' });
  const shown = useMemo(
    () => points.filter((point) => endpoint === undefined || point.endpoint === endpoint),
    [points, endpoint],
  );

  return (
    <Section
      title="Traffic now"
      aside={
        <Select
          size="xs"
          aria-label="Endpoint drawn"
          placeholder="All endpoints"
          clearable
          searchable
          data={endpoints.map(({ name }) => name)}
          value={endpoint ?? null}
          onChange={(value) =>
            void navigate({
              search: (search) => ({ ...search, endpoint: value ?? undefined }),
              resetScroll: false,
            })
          }
        />
      }
    >
      <LiveTraffic points={shown} now={now} />
    </Section>
  );
}
