import { Group, Select, Stack } from '@mantine/core';
import { IconRepeat } from '@tabler/icons-react';
import { useNavigate, useSearch } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { PAGE_LIMIT_MAX } from '../../../base/page.ts';
import { Loaded } from '../../../web/kit/loaded.tsx';
import { NotDeclared } from '../../../web/kit/not-declared.tsx';
import { PageHeader } from '../../../web/kit/page-header.tsx';
import { useRoute } from '../../../web/kit/use-route.ts';
import { listLoops, type Loop } from '../contract.ts';
import { InstancesSection } from './instances-section.tsx';
import { LoopActions } from './loop-actions.tsx';
import { PolicySection } from './policy-section.tsx';
import { StateSection } from './state-section.tsx';
import { TimelineSection } from './timeline-section.tsx';
import { WhySection } from './why-section.tsx';

/** Domain time moves without an event, and cooldowns end with it. */
const POLL_MS = 5000;

/** What the loop decided, why, and what it waits for now. */
export function LoopPage(): ReactNode {
  const { loop } = useSearch({ from: '/loop' });
  const loops = useRoute(
    listLoops,
    { query: { limit: PAGE_LIMIT_MAX } },
    { subjects: ['loop/', 'endpoint/', 'model/', 'monitor/'], pollMs: POLL_MS },
  );
  return (
    <Loaded query={loops} height={400}>
      {({ items }) => {
        const shown = items.find(({ name }) => name === loop) ?? items[0];
        return shown === undefined ? (
          <NoLoop />
        ) : (
          <LoopOf key={shown.name} loop={shown} names={items.map(({ name }) => name)} />
        );
      }}
    </Loaded>
  );
}

function LoopOf(props: { readonly loop: Loop; readonly names: readonly string[] }): ReactNode {
  const { loop, names } = props;
  const navigate = useNavigate({ from: '/loop' });
  return (
    <>
      <PageHeader
        title="Loop"
        about={
          names.length === 1 ? (
            loop.name
          ) : (
            <Select
              size="xs"
              aria-label="Loop"
              searchable
              allowDeselect={false}
              data={names}
              value={loop.name}
              onChange={(value) => void navigate({ search: { loop: value ?? undefined } })}
            />
          )
        }
      >
        <Group gap="xs">
          <LoopActions loop={loop} />
        </Group>
      </PageHeader>
      <Stack gap="md">
        <StateSection loop={loop} />
        <WhySection loop={loop.name} />
        <TimelineSection loop={loop.name} />
        <InstancesSection loop={loop.name} />
        <PolicySection loop={loop} />
      </Stack>
    </>
  );
}

const EXAMPLE = `loops:
  NAME: { pipeline: train, triggers: [quality, drift], autonomy: recommend }`;

function NoLoop(): ReactNode {
  return (
    <>
      <PageHeader title="Loop" about="Retrain, judge, roll out, watch, go back" />
      <NotDeclared
        heading="No loop is declared yet"
        icon={<IconRepeat aria-hidden />}
        title="Nothing is retrained by itself"
        description="Write a section loops into millwright.yaml with the name of an endpoint that is monitored and the stage of dvc.yaml that trains it"
        example={EXAMPLE}
      />
    </>
  );
}
