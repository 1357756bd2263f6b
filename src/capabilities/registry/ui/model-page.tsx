import { Title } from '@mantine/core';
import { useParams } from '@tanstack/react-router';
import { useMemo, type ReactNode } from 'react';
import { PAGE_LIMIT_MAX } from '../../../base/page.ts';
import { DataTable } from '../../../web/kit/data-table.tsx';
import { PageLink } from '../../../web/kit/link.tsx';
import { Loaded } from '../../../web/kit/loaded.tsx';
import { PageHeader } from '../../../web/kit/page-header.tsx';
import { Card } from '../../../web/kit/section.tsx';
import { useRoute, useRoutePages } from '../../../web/kit/use-route.ts';
import { listEndpoints } from '../../serving/contract.ts';
import { listVersions } from '../contract.ts';
import { versionColumns } from './version-columns.tsx';

const VERSIONS_A_PAGE = 100;

/** Every version of one model: where it came from and whether it serves. */
export function ModelPage(): ReactNode {
  const { model } = useParams({ from: '/models/$model' });
  const versions = useRoutePages(
    listVersions,
    { params: { model }, query: { limit: VERSIONS_A_PAGE } },
    { subjects: [`model/${model}`] },
  );
  const endpoints = useRoute(
    listEndpoints,
    { query: { limit: PAGE_LIMIT_MAX } },
    { subjects: ['endpoint'] },
  );
  const served = endpoints.data?.items;
  const columns = useMemo(() => versionColumns(served ?? []), [served]);
  return (
    <>
      <PageHeader title={model} about={<PageLink to="/models">Models</PageLink>} />
      <Loaded query={{ ...versions, data: versions.items }} height={300}>
        {(items) => (
          <Card label="Versions">
            <DataTable
              name={`Versions of ${model}`}
              heading={<Title order={2}>Versions</Title>}
              columns={columns}
              rows={items}
              rowId={({ version }) => String(version)}
              minWidth={860}
              canFilter={items.length > 8}
              more={versions}
            />
          </Card>
        )}
      </Loaded>
    </>
  );
}
