import { Alert, EmptyState, SimpleGrid, Stack } from '@mantine/core';
import { IconBox } from '@tabler/icons-react';
import { useParams } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { PAGE_LIMIT_MAX } from '../../../base/page.ts';
import { CopyCode } from '../../../web/kit/copy-code.tsx';
import { Facts } from '../../../web/kit/facts.tsx';
import { formatBytes, formatDigest, formatShort } from '../../../web/kit/format.ts';
import { Instant } from '../../../web/kit/instant.tsx';
import { PageLink } from '../../../web/kit/link.tsx';
import { LineageChain } from '../../../web/kit/lineage-chain.tsx';
import { Loaded } from '../../../web/kit/loaded.tsx';
import { PageHeader } from '../../../web/kit/page-header.tsx';
import { Section } from '../../../web/kit/section.tsx';
import { together } from '../../../web/kit/together.ts';
import { useRoute } from '../../../web/kit/use-route.ts';
import { listEndpoints, type Endpoint } from '../../serving/contract.ts';
import { getVersion, type ModelVersion } from '../contract.ts';
import { AliasBadges } from './alias-badges.tsx';
import { DeploymentBadges } from './deployment-badges.tsx';
import { deploymentsOf } from './deployments.ts';
import { SignatureSection } from './signature-section.tsx';

const TAG_SHOWN = 120;

/** One version: what it is, where it came from, and what it serves. */
export function VersionPage(): ReactNode {
  const { model, version } = useParams({ from: '/models/$model/versions/$version' });
  const found = useRoute(
    getVersion,
    { params: { model, version } },
    { subjects: [`model/${model}`] },
  );
  const endpoints = useRoute(
    listEndpoints,
    { query: { limit: PAGE_LIMIT_MAX } },
    { subjects: ['endpoint'] },
  );
  return (
    <>
      <PageHeader
        title={`${model} v${version}`}
        about={
          <PageLink to="/models/$model" params={{ model }}>
            {`All versions of ${model}`}
          </PageLink>
        }
      />
      <Loaded query={together(found, endpoints)} height={400}>
        {([data, { items }]) => <VersionSections version={data} endpoints={items} />}
      </Loaded>
    </>
  );
}

interface VersionSectionsProps {
  readonly version: ModelVersion;
  readonly endpoints: readonly Endpoint[];
}

function VersionSections({ version, endpoints }: VersionSectionsProps): ReactNode {
  return (
    <Stack gap="md">
      {version.deletedAt !== null && (
        <Alert color="yellow" title="This version was deleted">
          It is in no list and cannot be deployed; what serves it goes on.
        </Alert>
      )}
      <Section title="Lineage">
        <LineageChain of={`model/${version.model}@${version.version}`} />
      </Section>
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="md">
        <AboutSection version={version} endpoints={endpoints} />
        {version.format === 'onnx' ? (
          <SignatureSection signature={version.signature} />
        ) : (
          <NotServed />
        )}
      </SimpleGrid>
    </Stack>
  );
}

function AboutSection({ version, endpoints }: VersionSectionsProps): ReactNode {
  const { digest, sizeBytes, format, createdAt, createdBy, description, id } = version;
  const { runId, aliases, tags } = version;
  return (
    <Section title="Version">
      <Facts
        facts={[
          ['Deployed', <Deployed key="deployed" version={version} endpoints={endpoints} />],
          ['Aliases', aliases.length === 0 ? null : <AliasBadges key="as" aliases={aliases} />],
          [
            'Made by',
            runId === null ? null : (
              <PageLink key="run" to="/runs/$runId" params={{ runId }} ff="monospace">
                {runId}
              </PageLink>
            ),
          ],
          ['Files', `${formatBytes(sizeBytes)}, ${format === 'onnx' ? 'ONNX' : 'MLflow model'}`],
          ['SHA-256', <CopyCode key="digest" code={digest} shown={formatDigest(digest)} />],
          ['Registered', <Instant key="created" value={createdAt} clock="wall" withClock />],
          ['By', createdBy],
          ['Description', description === '' ? null : description],
          [
            'Tags',
            tags.length === 0
              ? null
              : tags.map(({ key, value }) => (
                  <div key={key} title={value}>
                    {`${key} = ${formatShort(value, TAG_SHOWN)}`}
                  </div>
                )),
          ],
          ['Id', <CopyCode key="id" code={id} />],
        ]}
      />
    </Section>
  );
}

function Deployed({ version, endpoints }: VersionSectionsProps): ReactNode {
  const deployments = deploymentsOf(endpoints, version);
  if (deployments.length > 0) return <DeploymentBadges deployments={deployments} />;
  if (version.format !== 'onnx' || version.deletedAt !== null) return 'nowhere';
  const endpoint = endpointFor(endpoints, version.model);
  return <CopyCode code={`millwright deploy ${endpoint}@${version.version}`} />;
}

function NotServed(): ReactNode {
  return (
    <Section title="Signature">
      <EmptyState
        icon={<IconBox aria-hidden />}
        title="It has no ONNX file, so it cannot be served"
        description="Log the model as ONNX, with mlflow.onnx.log_model, and register that."
      />
    </Section>
  );
}

/** The endpoint one would deploy to, as far as there is one. */
function endpointFor(endpoints: readonly Endpoint[], model: string): string {
  return endpoints.find((endpoint) => endpoint.model === model)?.name ?? 'ENDPOINT';
}
