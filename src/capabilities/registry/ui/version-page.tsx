import { SimpleGrid, Stack } from '@mantine/core';
import { useParams } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { PAGE_LIMIT_MAX } from '../../../base/page.ts';
import { CopyCode } from '../../../web/kit/copy-code.tsx';
import { Facts } from '../../../web/kit/facts.tsx';
import { formatBytes, formatDigest } from '../../../web/kit/format.ts';
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
import { DeploymentBadges } from './deployment-badges.tsx';
import { deploymentsOf } from './deployments.ts';
import { SignatureSection } from './signature-section.tsx';

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
  const deployments = deploymentsOf(endpoints, version);
  const { model, digest, sizeBytes, format, createdAt, createdBy, description, id } = version;
  return (
    <Stack gap="md">
      <Section title="Lineage">
        <LineageChain of={`model/${model}@${version.version}`} />
      </Section>
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="md">
        <Section title="Version">
          <Facts
            facts={[
              [
                'Deployed',
                deployments.length === 0 ? (
                  <CopyCode
                    key="deploy"
                    code={`millwright deploy ${endpointFor(endpoints, model)}@${version.version}`}
                  />
                ) : (
                  <DeploymentBadges key="deployed" deployments={deployments} />
                ),
              ],
              ['File', `${formatBytes(sizeBytes)}, ${format.toUpperCase()}`],
              ['SHA-256', <CopyCode key="digest" code={digest} shown={formatDigest(digest)} />],
              ['Registered', <Instant key="created" value={createdAt} clock="wall" withClock />],
              ['By', createdBy],
              ['Description', description === '' ? null : description],
              ['Id', <CopyCode key="id" code={id} />],
            ]}
          />
        </Section>
        <SignatureSection signature={version.signature} />
      </SimpleGrid>
    </Stack>
  );
}

/** The endpoint one would deploy to, as far as there is one. */
function endpointFor(endpoints: readonly Endpoint[], model: string): string {
  return endpoints.find((endpoint) => endpoint.model === model)?.name ?? 'ENDPOINT';
}
