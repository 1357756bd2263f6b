import { Anchor, SimpleGrid, Stack } from '@mantine/core';
import { useParams } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { routeUrl } from '../../../base/route.ts';
import { CopyCode } from '../../../web/kit/copy-code.tsx';
import { Facts } from '../../../web/kit/facts.tsx';
import { formatCount, formatDigest, formatShare, formatValue } from '../../../web/kit/format.ts';
import { Instant } from '../../../web/kit/instant.tsx';
import { PageLink } from '../../../web/kit/link.tsx';
import { LineageChain } from '../../../web/kit/lineage-chain.tsx';
import { Loaded } from '../../../web/kit/loaded.tsx';
import { NumberCard } from '../../../web/kit/number-card.tsx';
import { PageHeader } from '../../../web/kit/page-header.tsx';
import { Section } from '../../../web/kit/section.tsx';
import { TableLink } from '../../../web/kit/table-link.tsx';
import { useRoute } from '../../../web/kit/use-route.ts';
import { getTrainingVersion, PARQUET_PATH, type TrainingVersion } from '../contract.ts';
import { leftOutTotal, REASONS } from './left-out.ts';
import { ProfileSection } from './profile-section.tsx';

/** One version of a training set: its rows, what is not among them and why, and its features. */
export function TrainingVersionPage(): ReactNode {
  const params = useParams({ from: '/features/training-sets/$name/versions/$version' });
  const { name, version } = params;
  const found = useRoute(getTrainingVersion, { params });
  return (
    <>
      <PageHeader
        title={`${name}@v${version}`}
        about={
          <PageLink to="/features/training-sets/$name" params={{ name }}>
            {`All versions of ${name}`}
          </PageLink>
        }
      />
      <Loaded query={found} height={400}>
        {(data) => (
          <Stack gap="md">
            <Numbers version={data} />
            <AboutSection version={data} />
            <Section title="Lineage">
              <LineageChain of={`training_set/${data.name}@${data.version}`} />
            </Section>
            <ProfileSection profile={data.profile} rows={data.rows} />
          </Stack>
        )}
      </Loaded>
    </>
  );
}

function Numbers({ version }: { readonly version: TrainingVersion }): ReactNode {
  const { name, tableVersion, rows, leftOut, label, labelRate } = version;
  const all = rows + leftOutTotal(leftOut);
  return (
    <SimpleGrid cols={{ base: 2, sm: 3, lg: 5 }} spacing="sm" verticalSpacing="sm">
      <NumberCard
        label="Rows"
        value={
          <TableLink table={`training_sets.${name}`} version={tableVersion}>
            {formatCount(rows)}
          </TableLink>
        }
        about={`${formatShare(rows, all)} of ${formatCount(all)} in the range`}
      />
      <NumberCard label={`Mean of ${label}`} value={formatValue(labelRate)} about="of the rows" />
      {REASONS.map(({ key, text }) => (
        <NumberCard
          key={key}
          label="Left out"
          value={formatCount(leftOut[key])}
          about={text}
          tone={leftOut[key] > rows ? 'warn' : 'plain'}
        />
      ))}
    </SimpleGrid>
  );
}

function AboutSection({ version }: { readonly version: TrainingVersion }): ReactNode {
  const { name, range, service, definitionHash, tableVersion, sources } = version;
  const parquet = routeUrl(PARQUET_PATH, { name, version: version.version });
  return (
    <Section title="Version">
      <Facts
        facts={[
          [
            'Range',
            <>
              <Instant value={range.from} clock="domain" />
              {' until before '}
              <Instant value={range.until} clock="domain" withClock />
            </>,
          ],
          [
            'Service',
            <PageLink key="service" to="/features/services/$service" params={{ service }}>
              {service}
            </PageLink>,
          ],
          [
            'Definition',
            <CopyCode key="hash" code={definitionHash} shown={formatDigest(definitionHash)} />,
          ],
          [
            'Read from',
            sources.map(({ table, version: read }) => (
              <div key={table}>
                <TableLink table={table} version={read}>
                  {`${table} version ${read}`}
                </TableLink>
              </div>
            )),
          ],
          [
            'Lies in',
            <TableLink key="rows" table={`training_sets.${name}`} version={tableVersion}>
              {`table training_sets.${name}, version ${tableVersion}`}
            </TableLink>,
          ],
          [
            'Rows',
            <Anchor
              key="parquet"
              inherit
              href={parquet}
              download={`${name}-v${version.version}.parquet`}
            >
              Download as Parquet
            </Anchor>,
          ],
          ['Built', <Instant key="wall" value={version.createdWall} clock="wall" withClock />],
          ['Built at', <Instant key="now" value={version.createdNow} clock="domain" withClock />],
          ['By', version.createdBy],
        ]}
      />
    </Section>
  );
}
