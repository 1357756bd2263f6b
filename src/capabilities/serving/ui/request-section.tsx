import type { ReactNode } from 'react';
import { CopyCode } from '../../../web/kit/copy-code.tsx';
import { Facts } from '../../../web/kit/facts.tsx';
import { Instant } from '../../../web/kit/instant.tsx';
import { PageLink } from '../../../web/kit/link.tsx';
import { Section } from '../../../web/kit/section.tsx';
import type { Prediction } from '../../predictions/contract.ts';
import { LatencySplit } from './latency-split.tsx';

/** When, for whom and how fast, and where this record was read from. */
export function RequestSection({ prediction }: { readonly prediction: Prediction }): ReactNode {
  const { endpoint, now, wall, key, client, traceId, source } = prediction;
  return (
    <Section title="Request">
      <Facts
        facts={[
          [
            'Endpoint',
            <PageLink key="endpoint" to="/trace" search={{ endpoint }}>
              {endpoint}
            </PageLink>,
          ],
          ['Domain time', <Instant key="now" value={now} clock="domain" />],
          ['Wall time', <Instant key="wall" value={wall} clock="wall" />],
          ['Latency', <LatencySplit key="latency" prediction={prediction} />],
          ['Key', key === null ? null : <CopyCode key="key" code={key} />],
          ['Client', client],
          ['Trace id', traceId === null ? null : <CopyCode key="trace" code={traceId} />],
          ['Read from', sourceText(source, endpoint)],
        ]}
      />
    </Section>
  );
}

function sourceText(source: Prediction['source'], endpoint: string): string {
  return source === 'journal'
    ? 'the journal; not flushed to its table yet'
    : `the table predictions.${endpoint}`;
}
