import { List, Stack, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { formatValue } from '../../../web/kit/format.ts';
import { Instant } from '../../../web/kit/instant.tsx';
import { PageLink } from '../../../web/kit/link.tsx';
import { Loaded } from '../../../web/kit/loaded.tsx';
import { Section } from '../../../web/kit/section.tsx';
import { StatusBadge } from '../../../web/kit/status-badge.tsx';
import { useRoute } from '../../../web/kit/use-route.ts';
import { listEvaluations, type Monitor } from '../contract.ts';
import { dayText, daysBefore } from './day-range.ts';
import { unitEpisodes, type UnitEpisode } from './alert-episodes.ts';

/** Evaluations looked back over: half a year of days. */
const EVALUATIONS = 184;

/** Inputs that changed their unit, in words; nothing while none ever did. */
export function UnitsSection({ monitor }: { readonly monitor: Monitor }): ReactNode {
  const { name } = monitor;
  const evaluations = useRoute(
    listEvaluations,
    { params: { monitor: name }, query: { kind: 'unit_change', limit: EVALUATIONS } },
    { subjects: [`monitor/${name}`] },
  );
  return (
    <Loaded query={evaluations} height={0}>
      {({ items }) => {
        const found = unitEpisodes(items);
        return found.length === 0 ? null : (
          <Section title="Changed units">
            <Stack gap="md">
              {found.map((episode) => (
                <Episode key={`${episode.subject} ${episode.since}`} monitor={name} {...episode} />
              ))}
            </Stack>
          </Section>
        );
      }}
    </Loaded>
  );
}

function Episode(props: UnitEpisode & { readonly monitor: string }): ReactNode {
  const { monitor, subject, ratio, since, until, evaluation, explanation } = props;
  const factor = formatValue(Number(ratio.toPrecision(4)));
  return (
    <article>
      <Title order={3} mb={4}>
        {`${subject} became × ${factor} `}
        <StatusBadge tone={until === null ? 'bad' : 'good'}>
          {until === null ? 'goes on' : 'over'}
        </StatusBadge>
      </Title>
      <Text size="sm" mb={4}>
        {'From '}
        <Instant value={since} clock="domain" />
        {until === null ? ' on' : ' until '}
        {until !== null && <Instant value={until} clock="domain" />}
        {` (domain clock, UTC). ${explanation}`}
      </Text>
      <List size="sm" spacing={2}>
        <List.Item>
          {`How it shows: the same key (the texts of a request) brings ${factor} times the ${subject} it always had. Another mix of requests cannot do that; another unit, or another source, does.`}
        </List.Item>
        <List.Item>
          {`What it does: the model was trained on the former unit and reads every such ${subject} wrongly, without an error.`}
        </List.Item>
        <List.Item>
          {until === null
            ? 'What to do: set it right at the source. A loop that excludes unit changes trains on none of these rows, and begins nothing while it goes on.'
            : 'It is as before now. A loop that excludes unit changes trains on none of these rows.'}
        </List.Item>
      </List>
      <Text size="sm" mt={4}>
        <PageLink
          to="/trace"
          // One that goes on has more of them than anybody reads.
          search={{ endpoint: monitor, from: since, until: until ?? daysBefore(since, -1) }}
        >
          Requests with the changed value
        </PageLink>
        {' · '}
        <PageLink to="/monitors/$monitor/evaluations/$evaluation" params={{ monitor, evaluation }}>
          The evaluation
        </PageLink>
        {' · '}
        <PageLink
          to="/monitors/$monitor"
          params={{ monitor }}
          search={{ column: subject, day: dayText(since) }}
          hash="distribution"
        >
          {`How ${subject} was distributed`}
        </PageLink>
      </Text>
    </article>
  );
}
