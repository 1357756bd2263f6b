import type { Column } from '../../../web/kit/data-table.tsx';
import { formatBytes, formatCounted, formatShort } from '../../../web/kit/format.ts';
import { Instant } from '../../../web/kit/instant.tsx';
import { PageLink } from '../../../web/kit/link.tsx';
import type { Endpoint } from '../../serving/contract.ts';
import type { ModelVersion } from '../contract.ts';
import { AliasBadges } from './alias-badges.tsx';
import { DeploymentBadges } from './deployment-badges.tsx';
import { deploymentsOf, deploymentText } from './deployments.ts';
import { VersionLink } from './version-link.tsx';

const TEXT_SHOWN = 48;

/** The columns of a model's versions. */
export function versionColumns(endpoints: readonly Endpoint[]): readonly Column<ModelVersion>[] {
  return [
    {
      id: 'version',
      header: 'Version',
      value: ({ version }) => version,
      cell: ({ model, version }) => <VersionLink model={model} version={version} />,
    },
    {
      id: 'state',
      header: 'Deployed',
      value: (version) => deploymentsOf(endpoints, version).map(deploymentText).join(', ') || null,
      cell: (version) => <DeploymentBadges deployments={deploymentsOf(endpoints, version)} />,
    },
    {
      id: 'aliases',
      header: 'Aliases',
      value: ({ aliases }) => aliases.join(', ') || null,
      cell: ({ aliases }) => (aliases.length === 0 ? '' : <AliasBadges aliases={aliases} />),
    },
    {
      id: 'run',
      header: 'Run',
      value: ({ runId }) => runId,
      cell: ({ runId }) =>
        runId === null ? null : (
          <PageLink to="/runs/$runId" params={{ runId }} title={runId}>
            {formatShort(runId)}
          </PageLink>
        ),
    },
    {
      id: 'signature',
      header: 'Signature',
      value: ({ format, signature }) =>
        format === 'onnx' ? signatureText(signature) : 'not served: no ONNX file',
    },
    {
      id: 'size',
      header: 'Size',
      isNumeric: true,
      value: ({ sizeBytes }) => sizeBytes,
      cell: ({ sizeBytes }) => formatBytes(sizeBytes),
    },
    {
      id: 'created',
      header: 'Registered (wall clock)',
      value: ({ createdAt }) => createdAt,
      cell: ({ createdAt }) => <Instant value={createdAt} clock="wall" />,
    },
    { id: 'by', header: 'By', value: ({ createdBy }) => createdBy },
    {
      id: 'description',
      header: 'Description',
      value: ({ description }) => (description === '' ? null : description),
      cell: ({ description }) => (
        <span title={description}>{formatShort(description, TEXT_SHOWN)}</span>
      ),
    },
  ];
}

function signatureText({ inputs, outputs }: ModelVersion['signature']): string {
  const read = formatCounted(inputs.length, 'input');
  return `${read} → ${formatCounted(outputs.length, 'output')}`;
}
