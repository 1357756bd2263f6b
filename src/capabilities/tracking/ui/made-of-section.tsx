import { EmptyState } from '@mantine/core';
import { IconPin } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { CopyCode } from '../../../web/kit/copy-code.tsx';
import { Facts } from '../../../web/kit/facts.tsx';
import { formatDigest } from '../../../web/kit/format.ts';
import { PageLink } from '../../../web/kit/link.tsx';
import { Section } from '../../../web/kit/section.tsx';
import { TableLink } from '../../../web/kit/table-link.tsx';
import type { RunPins } from '../contract.ts';

/** What must be the same again for the same result: code, environment, command and data. */
export function MadeOfSection({ pins }: { readonly pins: RunPins | null }): ReactNode {
  return (
    <Section title="Made of">
      {pins === null ? (
        <EmptyState
          icon={<IconPin aria-hidden />}
          title="Nothing tells what this run was made of"
          description="Run the script as a stage of dvc.yaml: its code, environment, command and table versions are then pinned."
        >
          <CopyCode isBlock code="millwright run STAGE" />
        </EmptyState>
      ) : (
        <Pinned pins={pins} />
      )}
    </Section>
  );
}

function Pinned({ pins }: { readonly pins: RunPins }): ReactNode {
  const { command, codeTree, codeCommit, environment, definition, stage, step } = pins;
  const digest = (value: string | null): ReactNode =>
    value === null ? null : <CopyCode code={value} shown={formatDigest(value)} />;
  return (
    <Facts
      facts={[
        ['Command', command === null ? null : <CopyCode key="command" code={command} isBlock />],
        ['Code tree', digest(codeTree)],
        ['Commit', digest(codeCommit)],
        ['Environment', digest(environment)],
        [
          'Training set',
          pins.trainingSet === null ? null : (
            <PageLink
              key="set"
              to="/features/training-sets/$name/versions/$version"
              params={{ name: pins.trainingSet.name, version: String(pins.trainingSet.version) }}
            >
              {`${pins.trainingSet.name}@v${pins.trainingSet.version}`}
            </PageLink>
          ),
        ],
        ['Features', digest(definition)],
        [
          'Tables',
          pins.tables.length === 0
            ? null
            : pins.tables.map(({ table, version }) => (
                <div key={`${table} ${version}`}>
                  <TableLink table={table} version={version}>
                    {`${table} version ${version}`}
                  </TableLink>
                </div>
              )),
        ],
        ['Stage', stage],
        ['Step', step === null ? null : <CopyCode key="step" code={step} />],
        [
          'Pipeline run',
          pins.pipelineRun === null ? null : (
            <PageLink
              key="pipeline"
              to="/pipelines/$run"
              params={{ run: pins.pipelineRun }}
              search={stage === null ? {} : { stage }}
            >
              {pins.pipelineRun}
            </PageLink>
          ),
        ],
      ]}
    />
  );
}
