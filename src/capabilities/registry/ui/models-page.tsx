import { EmptyState, Group, Stack } from '@mantine/core';
import { IconBox } from '@tabler/icons-react';
import { useMemo, type ReactNode } from 'react';
import { PAGE_LIMIT_MAX } from '../../../base/page.ts';
import { CopyCode } from '../../../web/kit/copy-code.tsx';
import { DataTable, type Column } from '../../../web/kit/data-table.tsx';
import { formatShort } from '../../../web/kit/format.ts';
import { Instant } from '../../../web/kit/instant.tsx';
import { PageLink } from '../../../web/kit/link.tsx';
import { Loaded } from '../../../web/kit/loaded.tsx';
import { PageHeader } from '../../../web/kit/page-header.tsx';
import { Card, Section } from '../../../web/kit/section.tsx';
import { together } from '../../../web/kit/together.ts';
import { useRoute, useRoutePages } from '../../../web/kit/use-route.ts';
import { listEndpoints, type Endpoint } from '../../serving/contract.ts';
import { listModels, type Model } from '../contract.ts';
import { VersionLink } from './version-link.tsx';

const MODELS_A_PAGE = 200;
const NAME_SHOWN = 48;

/** Every registered model, and what it serves. */
export function ModelsPage(): ReactNode {
  const models = useRoutePages(
    listModels,
    { query: { limit: MODELS_A_PAGE } },
    { subjects: ['model'] },
  );
  const endpoints = useRoute(
    listEndpoints,
    { query: { limit: PAGE_LIMIT_MAX } },
    { subjects: ['endpoint'] },
  );
  const both = together({ ...models, data: models.items }, endpoints);
  return (
    <>
      <PageHeader title="Models" about="What was registered, and what serves" />
      <Loaded query={both} height={300}>
        {([items, { items: served }]) =>
          items.length === 0 ? (
            <NoModels />
          ) : (
            <ModelsTable models={items} endpoints={served} more={models} />
          )
        }
      </Loaded>
    </>
  );
}

interface ModelsTableProps {
  readonly models: readonly Model[];
  readonly endpoints: readonly Endpoint[];
  readonly more: {
    readonly hasMore: boolean;
    readonly isLoadingMore: boolean;
    readonly loadMore: () => void;
  };
}

function ModelsTable({ models, endpoints, more }: ModelsTableProps): ReactNode {
  const columns = useMemo(() => modelColumns(endpoints), [endpoints]);
  return (
    <Card label="Models">
      <DataTable
        name="Models"
        columns={columns}
        rows={models}
        rowId={({ name }) => name}
        minWidth={640}
        canFilter={models.length > 8}
        more={more}
        moreLabel="Read more"
      />
    </Card>
  );
}

function modelColumns(endpoints: readonly Endpoint[]): readonly Column<Model>[] {
  const servedBy = Map.groupBy(endpoints, ({ model }) => model);
  const servingText = ({ name }: Model): string | null =>
    servedBy
      .get(name)
      ?.map((endpoint) => endpoint.name)
      .join(', ') ?? null;
  return [
    {
      id: 'name',
      header: 'Model',
      value: ({ name }) => name,
      cell: ({ name }) => (
        <PageLink to="/models/$model" params={{ model: name }} title={name}>
          {formatShort(name, NAME_SHOWN)}
        </PageLink>
      ),
    },
    {
      id: 'latest',
      header: 'Latest',
      value: ({ latestVersion }) => latestVersion,
      cell: ({ name, latestVersion }) =>
        latestVersion === 0 ? 'none yet' : <VersionLink model={name} version={latestVersion} />,
    },
    {
      id: 'endpoints',
      header: 'Endpoints',
      value: servingText,
      cell: (model) => {
        const own = servedBy.get(model.name);
        return own === undefined ? null : <Serving endpoints={own} />;
      },
    },
    {
      id: 'created',
      header: 'Since (wall clock)',
      value: ({ createdAt }) => createdAt,
      cell: ({ createdAt }) => <Instant value={createdAt} clock="wall" />,
    },
  ];
}

function Serving({ endpoints }: { readonly endpoints: readonly Endpoint[] }): ReactNode {
  return (
    <Group gap="xs" wrap="nowrap">
      {endpoints.map(({ name, route }) => (
        <span key={name}>
          <PageLink to="/trace" search={{ endpoint: name }}>
            {name}
          </PageLink>
          {route === null ? ' nothing deployed' : ` ${versionsText(route.arms)}`}
        </span>
      ))}
    </Group>
  );
}

function versionsText(
  arms: readonly { readonly version: number; readonly weight: number }[],
): string {
  const routed = arms.filter(({ weight }) => weight > 0);
  return routed.map(({ version }) => `v${version}`).join(' + ');
}

function NoModels(): ReactNode {
  return (
    <Section title="Models">
      <EmptyState
        icon={<IconBox aria-hidden />}
        title="No model is registered yet"
        description="Register an ONNX file; or let the training script do it with log_model and a registered_model_name."
      >
        <Stack gap="xs">
          <CopyCode isBlock code="millwright models register NAME FILE.onnx" />
        </Stack>
      </EmptyState>
    </Section>
  );
}
