import { Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { CopyCode } from '../../../web/kit/copy-code.tsx';
import { Facts } from '../../../web/kit/facts.tsx';
import { formatCount, formatDigest, formatShare } from '../../../web/kit/format.ts';
import { Instant } from '../../../web/kit/instant.tsx';
import { Section } from '../../../web/kit/section.tsx';
import type { Prediction, RoutingReason } from '../../predictions/contract.ts';
import { BUCKETS, type RouteRevision } from '../contract.ts';

const REASONS: Readonly<Record<RoutingReason, string>> = {
  weight: 'by weight: the request id fell into the bucket',
  sticky: 'sticky: the caller’s key fell into the bucket',
  pinned: 'pinned: the caller asked for this version',
};

interface RoutingSectionProps {
  readonly prediction: Prediction;
  readonly route: RouteRevision | null;
}

/** Which routing table decided, what it decided and why, and who had published it. */
export function RoutingSection({ prediction, route }: RoutingSectionProps): ReactNode {
  const { routeRevision, arm, reason, bucket } = prediction;
  const weight = route?.arms.find(({ name }) => name === arm)?.weight;
  return (
    <Section title="Routing">
      <Facts
        facts={[
          ['Revision', formatCount(routeRevision)],
          [
            'Arm',
            weight === undefined ? arm : `${arm}, ${formatShare(weight, BUCKETS)} of traffic`,
          ],
          ['Chosen', REASONS[reason]],
          ['Bucket', bucket === null ? null : `${formatCount(bucket)} of ${formatCount(BUCKETS)}`],
        ]}
      />
      {route === null ? (
        <Text size="sm" c="dimmed" mt="sm">
          The revision itself is no longer kept.
        </Text>
      ) : (
        <Published route={route} />
      )}
    </Section>
  );
}

function Published({ route }: { readonly route: RouteRevision }): ReactNode {
  const { actor, reason, restores, wall, now, arms, hash } = route;
  return (
    <div style={{ marginTop: 6 }}>
      <Facts
        facts={[
          ['Published by', actor],
          [
            'Reason',
            reason === '' ? (
              <Text key="none" c="dimmed" inherit span children="none given" />
            ) : (
              reason
            ),
          ],
          ['Restores', restores === null ? null : `revision ${formatCount(restores)} (a rollback)`],
          ['Domain time', <Instant key="now" value={now} clock="domain" />],
          ['Wall time', <Instant key="wall" value={wall} clock="wall" />],
          [
            'All arms',
            arms
              .map(
                ({ name, version, weight }) =>
                  `${name} v${version} ${formatShare(weight, BUCKETS)}`,
              )
              .join(', '),
          ],
          ['Hash', <CopyCode key="hash" code={hash} shown={formatDigest(hash)} />],
        ]}
      />
    </div>
  );
}
