import { Breadcrumbs, Button, EmptyState, Group, Text, Title } from '@mantine/core';
import { IconDownload, IconFile, IconFolder } from '@tabler/icons-react';
import { useSearch } from '@tanstack/react-router';
import { useMemo, type ReactNode } from 'react';
import { routeUrl } from '../../../base/route.ts';
import { DataTable, type Column } from '../../../web/kit/data-table.tsx';
import { formatBytes, formatDigest } from '../../../web/kit/format.ts';
import { PageLink } from '../../../web/kit/link.tsx';
import { Loaded } from '../../../web/kit/loaded.tsx';
import { Card, Section } from '../../../web/kit/section.tsx';
import { useRoutePages } from '../../../web/kit/use-route.ts';
import { listArtifacts, type ArtifactEntry, type Run } from '../contract.ts';
import { fileName, foldersAbove } from './artifact-kind.ts';
import { ArtifactPreview } from './artifact-preview.tsx';
import classes from './artifacts-section.module.css';

const FILES_A_PAGE = 200;
const ROWS_SHOWN = 15;
const POLL_MS = 5000;

/** Where the bytes of an artifact are. */
function contentUrl(run: string, path: string): string {
  return routeUrl('/api/v1/runs/:run/artifact', { run }, { path });
}

/** The files a run wrote, folder by folder, the chosen one shown when it is small. */
export function ArtifactsSection({ run }: { readonly run: Run }): ReactNode {
  const { folder = '', file } = useSearch({ from: '/runs/$runId' });
  const files = useRoutePages(
    listArtifacts,
    { params: { run: run.id }, query: { path: folder, limit: FILES_A_PAGE } },
    {
      subjects: [`run/${run.id}`],
      ...(run.status === 'RUNNING' ? { pollMs: POLL_MS } : {}),
    },
  );
  const columns = useMemo(() => artifactColumns(run.id), [run.id]);
  if (run.artifacts.length === 0 && folder === '') return <NoArtifacts />;
  const chosen = files.items?.find(({ path }) => path === file);
  return (
    <Card label="Artifacts">
      <Loaded query={{ ...files, data: files.items }} height={200}>
        {(items) => (
          <DataTable
            name="Artifacts"
            heading={
              <Group gap="sm">
                <Title order={2}>Artifacts</Title>
                <Where folder={folder} />
              </Group>
            }
            columns={columns}
            rows={items}
            rowId={({ path }) => path}
            pageSize={ROWS_SHOWN}
            minWidth={420}
            canFilter={items.length > ROWS_SHOWN}
            more={files}
            moreLabel="Read more"
          />
        )}
      </Loaded>
      {file !== undefined && (
        <ArtifactPreview
          path={file}
          url={contentUrl(run.id, file)}
          sizeBytes={chosen?.sizeBytes ?? null}
        />
      )}
    </Card>
  );
}

function artifactColumns(run: string): readonly Column<ArtifactEntry>[] {
  return [
    {
      id: 'path',
      header: 'Name',
      value: ({ path }) => path,
      cell: (entry) => <EntryName entry={entry} />,
    },
    {
      id: 'size',
      header: 'Size',
      isNumeric: true,
      value: ({ sizeBytes }) => sizeBytes,
      cell: ({ sizeBytes }) => (sizeBytes === null ? '' : formatBytes(sizeBytes)),
    },
    {
      id: 'digest',
      header: 'SHA-256',
      value: ({ digest }) => digest,
      cell: ({ digest }) =>
        digest === null ? (
          ''
        ) : (
          <Text span inherit ff="monospace" title={digest}>
            {formatDigest(digest)}
          </Text>
        ),
    },
    {
      id: 'download',
      header: 'Download',
      canSort: false,
      value: ({ path, isFolder }) => (isFolder ? null : contentUrl(run, path)),
      cell: ({ path, isFolder }) =>
        isFolder ? (
          ''
        ) : (
          <Button
            component="a"
            size="compact-xs"
            variant="subtle"
            leftSection={<IconDownload size={13} aria-hidden />}
            href={contentUrl(run, path)}
            download={fileName(path)}
            aria-label={`Download ${fileName(path)}`}
          >
            Download
          </Button>
        ),
    },
  ];
}

function EntryName({ entry }: { readonly entry: ArtifactEntry }): ReactNode {
  const { path, isFolder } = entry;
  const Icon = isFolder ? IconFolder : IconFile;
  return (
    <PageLink
      to="/runs/$runId"
      from="/runs/$runId"
      search={(was) =>
        isFolder ? { ...was, folder: path, file: undefined } : { ...was, file: path }
      }
      resetScroll={false}
      className={classes['entry']}
      title={path}
    >
      <Icon size={15} stroke={1.6} aria-label={isFolder ? 'Folder' : 'File'} />
      <span className={classes['name']}>{fileName(path)}</span>
    </PageLink>
  );
}

function Where({ folder }: { readonly folder: string }): ReactNode {
  if (folder === '') return null;
  return (
    <Breadcrumbs separatorMargin={4}>
      {['', ...foldersAbove(folder)].map((path) => (
        <PageLink
          key={path}
          to="/runs/$runId"
          from="/runs/$runId"
          search={(was) => ({
            ...was,
            folder: path === '' ? undefined : path,
            file: undefined,
          })}
          resetScroll={false}
          size="sm"
        >
          {path === '' ? 'all' : fileName(path)}
        </PageLink>
      ))}
      <Text size="sm">{fileName(folder)}</Text>
    </Breadcrumbs>
  );
}

function NoArtifacts(): ReactNode {
  return (
    <Section title="Artifacts">
      <EmptyState
        icon={<IconFile aria-hidden />}
        title="No file was logged"
        description="mlflow.log_artifact or a log_model call in the script keeps files with the run."
      />
    </Section>
  );
}
