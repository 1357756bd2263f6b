import { Button, Group, Stack, Text, TextInput } from '@mantine/core';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState, type FormEvent, type ReactNode } from 'react';
import { parseMoment } from '../../../base/moment.ts';
import { DataTable, type Column } from '../../../web/kit/data-table.tsx';
import { Facts, type Fact } from '../../../web/kit/facts.tsx';
import { formatCount, formatShare, formatShort } from '../../../web/kit/format.ts';
import { Instant } from '../../../web/kit/instant.tsx';
import { instantText } from '../../../web/kit/instant-text.ts';
import { PageLink } from '../../../web/kit/link.tsx';
import { Loaded } from '../../../web/kit/loaded.tsx';
import { Section } from '../../../web/kit/section.tsx';
import { useRoute } from '../../../web/kit/use-route.ts';
import { BUCKETS, whoServed, type WhoServed } from '../contract.ts';

const REQUESTS_SHOWN = 5;

/** Which version answered at a moment of the past, and whom; in an address that can be shared. */
export function WhoServedSection({ endpoint }: { readonly endpoint: string }): ReactNode {
  const { at, key } = useSearch({ from: '/trace' });
  return (
    <Section title="Who served at a moment?">
      <MomentForm key={`${at} ${key}`} endpoint={endpoint} at={at} asked={key} />
      {at !== undefined && <Served endpoint={endpoint} at={at} asked={key} />}
    </Section>
  );
}

interface AskedProps {
  readonly endpoint: string;
  readonly at: string | undefined;
  readonly asked: string | undefined;
}

function MomentForm({ endpoint, at, asked }: AskedProps): ReactNode {
  const navigate = useNavigate({ from: '/trace' });
  const [moment, setMoment] = useState(at === undefined ? '' : instantText(at));
  const [key, setKey] = useState(asked ?? '');
  const [problem, setProblem] = useState<string>();
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const parsed = parseMoment(moment);
    if (parsed === null) {
      setProblem('A time with its zone, such as 2001-04-27 11:02Z');
      return;
    }
    const search = { endpoint, at: parsed, key: key.trim() === '' ? undefined : key.trim() };
    void navigate({ search: (former) => ({ ...former, ...search }), resetScroll: false });
  };
  return (
    <form onSubmit={submit}>
      <Group gap="xs" align="flex-start">
        <TextInput
          size="xs"
          w={220}
          label="Moment (domain clock)"
          placeholder="2001-04-27 11:02Z"
          autoComplete="off"
          value={moment}
          error={problem}
          onChange={(event) => {
            setMoment(event.currentTarget.value);
            setProblem(undefined);
          }}
        />
        <TextInput
          size="xs"
          w={220}
          label="Whom (optional)"
          placeholder="origin=ORD"
          autoComplete="off"
          spellCheck={false}
          value={key}
          onChange={(event) => setKey(event.currentTarget.value)}
        />
        <Button size="xs" type="submit" mt={22}>
          Who served?
        </Button>
      </Group>
    </form>
  );
}

interface ServedProps extends AskedProps {
  readonly at: string;
}

function Served({ endpoint, at, asked }: ServedProps): ReactNode {
  const found = useRoute(
    whoServed,
    {
      params: { endpoint },
      query: { at, limit: REQUESTS_SHOWN, ...(asked === undefined ? {} : { key: asked }) },
    },
    { subjects: [`endpoint/${endpoint}`] },
  );
  return (
    <div style={{ marginTop: 12 }}>
      <Loaded query={found} height={160}>
        {(served) => (
          <Stack gap="sm">
            <Answer served={served} />
            {served.revision !== null && <Requests served={served} />}
          </Stack>
        )}
      </Loaded>
    </div>
  );
}

function Answer({ served }: { readonly served: WhoServed }): ReactNode {
  const { answer, undecided, key } = served;
  return (
    <Facts
      facts={[
        [
          'Served by',
          answer === null ? (
            <Text key="none" span inherit>{`Not decided: ${undecided}`}</Text>
          ) : (
            <span key="answer">
              <PageLink
                to="/models/$model/versions/$version"
                params={{ model: answer.model, version: String(answer.version) }}
                fw={600}
              >
                {`${answer.model} v${answer.version}`}
              </PageLink>
              {`, arm ${answer.arm}`}
              {answer.bucket !== null &&
                `: ${key?.name}=${key?.value} falls into bucket ${formatCount(answer.bucket)}`}
            </span>
          ),
        ],
        ...revisionFacts(served),
      ]}
    />
  );
}

function revisionFacts({ endpoint, revision, until, ranges, stickyBy }: WhoServed): Fact[] {
  if (revision === null) return [];
  const arms = ranges.map(({ arm, version, from, below }) => {
    const share = formatShare(below - from, BUCKETS);
    return `${arm} v${version} ${share} (buckets ${from}–${below - 1})`;
  });
  return [
    [
      'Revision',
      <PageLink
        key="revision"
        to="/endpoints/$endpoint"
        params={{ endpoint }}
        search={{ revision: revision.revision }}
      >
        {formatCount(revision.revision)}
      </PageLink>,
    ],
    ['Published by', revision.actor],
    ['Reason', revision.reason === '' ? 'none' : revision.reason],
    [
      'Current',
      <span key="span">
        <Instant value={revision.now} clock="domain" />
        {until === null ? (
          ' until now'
        ) : (
          <>
            {' until '}
            <Instant value={until} clock="domain" withClock />
          </>
        )}
      </span>,
    ],
    ['Arms', arms.join(', ')],
    ['Told apart by', stickyBy],
  ];
}

type Request = WhoServed['requests'][number];

const COLUMNS: readonly Column<Request>[] = [
  {
    id: 'now',
    header: 'Time (domain clock)',
    value: ({ now }) => now,
    cell: ({ now }) => <Instant value={now} clock="domain" />,
  },
  {
    id: 'request',
    header: 'Request',
    value: ({ requestId }) => requestId,
    cell: ({ requestId }) => (
      <PageLink to="/trace/$requestId" params={{ requestId }} ff="monospace" title={requestId}>
        {formatShort(requestId, 36)}
      </PageLink>
    ),
  },
  { id: 'key', header: 'Key', value: ({ key }) => key },
  {
    id: 'version',
    header: 'Version',
    value: ({ model, modelVersion }) => `${model} v${modelVersion}`,
  },
  { id: 'arm', header: 'Arm', value: ({ arm, reason }) => `${arm} by ${reason}` },
  { id: 'status', header: 'Status', isNumeric: true, value: ({ status }) => status },
];

function Requests({ served }: { readonly served: WhoServed }): ReactNode {
  const { requests, key, endpoint } = served;
  if (requests.length === 0) {
    return (
      <Text size="sm" c="dimmed">
        {`No request ${key === null ? '' : `of ${key.name}=${key.value} `}is logged within a day of it under this revision.`}
      </Text>
    );
  }
  return (
    <DataTable
      name={`Requests around the moment of ${endpoint}`}
      heading={
        <Text size="sm" c="dimmed">
          {key === null ? 'Answered nearest to it' : `Answered nearest to it, of ${key.name}`}
        </Text>
      }
      columns={COLUMNS}
      rows={requests}
      rowId={({ requestId, wall }) => `${requestId} ${wall}`}
      minWidth={720}
    />
  );
}
