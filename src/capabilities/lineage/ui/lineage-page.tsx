import {
  Box,
  Button,
  EmptyState,
  Group,
  NativeSelect,
  Stack,
  Text,
  TextInput,
  Title,
} from '@mantine/core';
import { IconSearch, IconSitemap } from '@tabler/icons-react';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState, type FormEvent, type ReactNode } from 'react';
import { DataTable, type Column } from '../../../web/kit/data-table.tsx';
import { LineageLayers } from '../../../web/kit/lineage-chain.tsx';
import { NodeLink } from '../../../web/kit/lineage-node.tsx';
import { Loaded } from '../../../web/kit/loaded.tsx';
import { PageHeader } from '../../../web/kit/page-header.tsx';
import { Card, Section } from '../../../web/kit/section.tsx';
import { useRoute } from '../../../web/kit/use-route.ts';
import {
  DEPTH_DEFAULT,
  DEPTH_MAX,
  getLineage,
  NODES_MAX,
  type Edge,
  type Node,
} from '../contract.ts';
import { LineageGraph } from './lineage-graph.tsx';
import { parseThing } from './thing.ts';

function nodeText({ kind, id }: Node): string {
  return `${kind} ${id}`;
}

const COLUMNS: readonly Column<Edge>[] = [
  {
    id: 'from',
    header: 'This',
    value: ({ from }) => nodeText(from),
    cell: ({ from }) => (
      <>
        {`${from.kind} `}
        <NodeLink node={from} />
      </>
    ),
  },
  { id: 'relation', header: 'Is', value: ({ relation }) => relation },
  {
    id: 'to',
    header: 'That',
    value: ({ to }) => nodeText(to),
    cell: ({ to }) => (
      <>
        {`${to.kind} `}
        <NodeLink node={to} />
      </>
    ),
  },
];

/** What a thing came from and what came of it: from a request to tables, and back. */
export function LineagePage(): ReactNode {
  const { of, depth } = useSearch({ from: '/lineage' });
  return (
    <>
      <PageHeader title="Lineage" about="What a thing came from, and what came of it" />
      <ThingForm key={of} of={of} />
      {of === undefined ? <NothingAsked /> : <LineageOf of={of} depth={depth} />}
    </>
  );
}

function ThingForm({ of }: { readonly of: string | undefined }): ReactNode {
  const navigate = useNavigate({ from: '/lineage' });
  const [text, setText] = useState(of ?? '');
  const [problem, setProblem] = useState<string>();
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const thing = parseThing(text);
    if (thing === null) {
      setProblem('A thing is MODEL@VERSION, NAMESPACE.TABLE@VERSION, an id, or KIND/ID');
    } else void navigate({ search: ({ depth }) => ({ of: thing, depth }) });
  };
  return (
    <form onSubmit={submit}>
      <Group gap="xs" align="flex-start" mb="md" wrap="nowrap">
        <TextInput
          flex={1}
          maw={520}
          data-search
          aria-label="Thing"
          placeholder="late@7, default.landings@117, run_…, req_…, endpoint/late"
          leftSection={<IconSearch size={15} aria-hidden />}
          spellCheck={false}
          autoComplete="off"
          maxLength={400}
          value={text}
          error={problem}
          onChange={(event) => {
            setText(event.currentTarget.value);
            setProblem(undefined);
          }}
        />
        <Button type="submit">Follow</Button>
      </Group>
    </form>
  );
}

interface LineageOfProps {
  readonly of: string;
  readonly depth: number | undefined;
}

function LineageOf({ of, depth }: LineageOfProps): ReactNode {
  const { open = [] } = useSearch({ from: '/lineage' });
  const query = depth === undefined ? { of } : { of, depth };
  const lineage = useRoute(getLineage, { query }, { subjects: [''] });
  return (
    <Loaded query={lineage} height={300}>
      {(found) =>
        found.edges.length === 0 ? (
          <Section title="Lineage">
            <EmptyState
              icon={<IconSitemap aria-hidden />}
              title={`Nothing is known of ${of}`}
              description="Check its spelling; a thing that came from nothing and led to nothing has no lineage either."
            />
          </Section>
        ) : (
          <Stack gap="md">
            <Section title="From left to right" aside={<DepthChoice depth={depth} />}>
              <Box visibleFrom="sm">
                <LineageGraph lineage={found} open={open} />
              </Box>
              <Box hiddenFrom="sm">
                <LineageLayers lineage={found} shown={NODES_MAX} />
              </Box>
              {!found.isComplete && <NotAll />}
            </Section>
            <Card label="Relations">
              <DataTable
                name="Relations"
                heading={<Title order={2}>Relations</Title>}
                columns={COLUMNS}
                rows={found.edges}
                rowId={({ from, relation, to }) =>
                  [nodeText(from), relation, nodeText(to)].join(' ')
                }
                canFilter={found.edges.length > 10}
                minWidth={480}
              />
            </Card>
          </Stack>
        )
      }
    </Loaded>
  );
}

const DEPTHS = [1, 2, 3, 5, 8, DEPTH_MAX];

/** How many steps are followed each way: fewer show what is nearest to the thing. */
function DepthChoice({ depth }: { readonly depth: number | undefined }): ReactNode {
  const navigate = useNavigate({ from: '/lineage' });
  return (
    <NativeSelect
      size="xs"
      aria-label="Steps followed each way"
      value={depth ?? DEPTH_DEFAULT}
      data={DEPTHS.map((steps) => ({
        value: String(steps),
        label: steps === 1 ? '1 step each way' : `${steps} steps each way`,
      }))}
      onChange={(event) => {
        const steps = Number(event.currentTarget.value);
        void navigate({
          search: (former) => ({ ...former, depth: steps === DEPTH_DEFAULT ? undefined : steps }),
          resetScroll: false,
        });
      }}
    />
  );
}

function NotAll(): ReactNode {
  return (
    <Text size="xs" c="dimmed" mt="xs">
      There is more than the steps followed, or more than can be shown: follow one of these, or more
      steps.
    </Text>
  );
}

function NothingAsked(): ReactNode {
  return (
    <Section title="Lineage">
      <EmptyState
        icon={<IconSitemap aria-hidden />}
        title="Of what?"
        description="Name a model version, a table version, a run, a request or an endpoint above; every page of one leads here, too."
      />
    </Section>
  );
}
