import { List, SimpleGrid, Stack, Text } from '@mantine/core';
import { useParams } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { CopyCode } from '../../../web/kit/copy-code.tsx';
import { ErrorState } from '../../../web/kit/error-state.tsx';
import { Loaded } from '../../../web/kit/loaded.tsx';
import { PageHeader } from '../../../web/kit/page-header.tsx';
import { StatusBadge, statusTone } from '../../../web/kit/status-badge.tsx';
import { useRoute } from '../../../web/kit/use-route.ts';
import { traceRequest, type Trace } from '../contract.ts';
import { EntitySection } from './entity-section.tsx';
import { EvidenceSection } from './evidence-section.tsx';
import { FeaturesSection } from './features-section.tsx';
import { LabelsSection } from './labels-section.tsx';
import { ModelSection } from './model-section.tsx';
import { OriginSection } from './origin-section.tsx';
import { RequestSearch } from './request-search.tsx';
import { RequestSection } from './request-section.tsx';
import { RoutingSection } from './routing-section.tsx';
import { TensorSection } from './tensor-section.tsx';

/** Labels come late, and a record moves from the journal to its table. */
const POLL_MS = 10_000;

/** One request, the whole chain: what was asked, who answered and why, and what came of it. */
export function RequestPage(): ReactNode {
  const { requestId } = useParams({ from: '/trace/$requestId' });
  const trace = useRoute(traceRequest, { params: { requestId } }, { pollMs: POLL_MS });
  const isUnknown = trace.error?.code === 'REQUEST_NOT_FOUND';
  return (
    <>
      <PageHeader
        title="Trace"
        about={<CopyCode code={requestId} />}
        children={trace.data === undefined ? null : <Outcome trace={trace.data} />}
      />
      {isUnknown && trace.data === undefined ? (
        <>
          <RequestSearch />
          <NotFound error={trace.error} retry={() => void trace.refetch()} />
        </>
      ) : (
        <Loaded query={trace} height={400}>
          {(data) => <Chain trace={data} />}
        </Loaded>
      )}
    </>
  );
}

function Outcome({ trace }: { readonly trace: Trace }): ReactNode {
  const { status, errorCode } = trace.prediction;
  return (
    <StatusBadge tone={statusTone(status)}>
      {errorCode === null ? `answered ${status}` : `${status} ${errorCode}`}
    </StatusBadge>
  );
}

function Chain({ trace }: { readonly trace: Trace }): ReactNode {
  const { prediction, route, features, origin } = trace;
  return (
    <Stack gap="md">
      <SimpleGrid cols={{ base: 1, md: 2, lg: 3 }} spacing="md">
        <RequestSection prediction={prediction} />
        <RoutingSection prediction={prediction} route={route} />
        <ModelSection prediction={prediction} model={trace.model} />
        {origin !== null && <OriginSection origin={origin} />}
        {features !== null && (
          <EntitySection features={features} watermark={prediction.features?.watermark} />
        )}
      </SimpleGrid>
      {features !== null && <FeaturesSection features={features} />}
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="md">
        <TensorSection
          title="Inputs"
          logged={prediction.inputs ?? null}
          wasTruncated={prediction.truncated}
        />
        <TensorSection
          title="Outputs"
          logged={prediction.outputs ?? null}
          wasTruncated={prediction.truncated}
        />
      </SimpleGrid>
      {route !== null && route.evidence.length > 0 && <EvidenceSection route={route} />}
      <LabelsSection prediction={prediction} labels={trace.labels} missing={trace.labelsMissing} />
    </Stack>
  );
}

interface NotFoundProps {
  readonly error: unknown;
  readonly retry: () => void;
}

function NotFound({ error, retry }: NotFoundProps): ReactNode {
  return (
    <ErrorState error={error} retry={retry}>
      <Text size="sm" mb={4}>
        An answered request can be traced at once: from the journal first, from its table within 10
        seconds. If it still is not here, check that
      </Text>
      <List size="sm">
        <List.Item>
          the id is whole: ours are <code>req_</code> and 32 hexadecimal digits, otherwise it is
          exactly the <code>id</code> the client sent, case included;
        </List.Item>
        <List.Item>the request went to this workspace, whose name stands at the top;</List.Item>
        <List.Item>
          it got an answer from a model: one refused before routing, such as for an unknown
          endpoint, is not a prediction.
        </List.Item>
      </List>
    </ErrorState>
  );
}
