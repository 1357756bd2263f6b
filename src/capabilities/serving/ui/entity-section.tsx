import { Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { CopyCode } from '../../../web/kit/copy-code.tsx';
import { Facts } from '../../../web/kit/facts.tsx';
import { formatCount, formatDigest } from '../../../web/kit/format.ts';
import { PageLink } from '../../../web/kit/link.tsx';
import { Section } from '../../../web/kit/section.tsx';
import type { TracedFeatures } from '../contract.ts';
import { entityText, watermarkTexts } from './feature-rows.ts';

/** Rows of a batch whose entities are spelled out. */
const ENTITIES_SHOWN = 5;

interface EntitySectionProps {
  readonly features: TracedFeatures;
  /** The table versions that the values saw, as they were logged. */
  readonly watermark: unknown;
}

/** What the features are of, by which definition, and from which tables. */
export function EntitySection({ features, watermark }: EntitySectionProps): ReactNode {
  const { service, definition, rows } = features;
  const seen = watermarkTexts(watermark);
  const hidden = rows.length - ENTITIES_SHOWN;
  return (
    <Section title="Asked with">
      <Facts
        facts={[
          [
            'Service',
            <PageLink key="service" to="/features/services/$service" params={{ service }}>
              {service}
            </PageLink>,
          ],
          [
            'Definition',
            <CopyCode key="hash" code={definition} shown={formatDigest(definition)} />,
          ],
          [
            'Inputs',
            rows.length === 0 ? null : (
              <>
                {rows.slice(0, ENTITIES_SHOWN).map(({ entity }, index) => (
                  <div key={index}>{entityText(entity)}</div>
                ))}
                {hidden > 0 && (
                  <Text c="dimmed" inherit>{`and ${formatCount(hidden)} more rows`}</Text>
                )}
              </>
            ),
          ],
          ['Having seen', seen.length === 0 ? null : seen.map((it) => <div key={it}>{it}</div>)],
        ]}
      />
    </Section>
  );
}
