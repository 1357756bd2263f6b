import { EmptyState } from '@mantine/core';
import { IconRoute } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { CopyCode } from '../../../web/kit/copy-code.tsx';
import { Section } from '../../../web/kit/section.tsx';
import type { Endpoint } from '../contract.ts';

/** What to do with an endpoint that answers nothing yet. */
export function NothingDeployed({ endpoint }: { readonly endpoint: Endpoint }): ReactNode {
  const { name, model } = endpoint;
  const other = name === model ? '' : ` --endpoint ${name}`;
  return (
    <Section title="Serving">
      <EmptyState
        icon={<IconRoute aria-hidden />}
        title="Nothing is deployed here yet"
        description="A version is loaded, warmed up and checked before it takes its first request."
      >
        <CopyCode code={`millwright deploy ${model}@1${other} --reason "first version"`} isBlock />
      </EmptyState>
    </Section>
  );
}
