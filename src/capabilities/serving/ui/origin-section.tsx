import type { ReactNode } from 'react';
import { CopyCode } from '../../../web/kit/copy-code.tsx';
import { Facts } from '../../../web/kit/facts.tsx';
import { formatDigest } from '../../../web/kit/format.ts';
import { PageLink } from '../../../web/kit/link.tsx';
import { Section } from '../../../web/kit/section.tsx';
import { TableLink } from '../../../web/kit/table-link.tsx';
import type { TracedOrigin } from '../contract.ts';

/** The run that made the answering version, and what it was made of. */
export function OriginSection({ origin }: { readonly origin: TracedOrigin }): ReactNode {
  const { run, trainingSet, tables, command } = origin;
  const digest = (value: string | null): ReactNode =>
    value === null ? null : <CopyCode code={value} shown={formatDigest(value)} />;
  return (
    <Section title="Trained">
      <Facts
        facts={[
          [
            'By run',
            <PageLink
              key="run"
              to="/runs/$runId"
              params={{ runId: run }}
              ff="monospace"
              style={{ overflowWrap: 'anywhere' }}
            >
              {run}
            </PageLink>,
          ],
          [
            'On',
            trainingSet === null ? null : (
              <PageLink
                key="set"
                to="/features/training-sets/$name/versions/$version"
                params={{ name: trainingSet.name, version: String(trainingSet.version) }}
              >
                {`${trainingSet.name}@v${trainingSet.version}`}
              </PageLink>
            ),
          ],
          [
            'Tables',
            tables.length === 0
              ? null
              : tables.map(({ table, version }) => (
                  <div key={`${table} ${version}`}>
                    <TableLink table={table} version={version}>
                      {`${table} version ${version}`}
                    </TableLink>
                  </div>
                )),
          ],
          ['Features', digest(origin.definition)],
          ['Code tree', digest(origin.codeTree)],
          ['Commit', digest(origin.codeCommit)],
          ['Environment', digest(origin.environment)],
          ['Command', command === null ? null : <CopyCode key="command" code={command} />],
        ]}
      />
    </Section>
  );
}
