import { Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { CopyCode } from '../../../web/kit/copy-code.tsx';
import { Facts, type Fact } from '../../../web/kit/facts.tsx';
import { formatBytes, formatDigest } from '../../../web/kit/format.ts';
import { Instant } from '../../../web/kit/instant.tsx';
import { PageLink } from '../../../web/kit/link.tsx';
import { Section } from '../../../web/kit/section.tsx';
import type { Prediction } from '../../predictions/contract.ts';
import type { ModelVersion, TensorSpec } from '../../registry/contract.ts';

interface ModelSectionProps {
  readonly prediction: Prediction;
  readonly model: ModelVersion | null;
}

/** The bytes that answered: which version, what they are, and who registered them. */
export function ModelSection({ prediction, model }: ModelSectionProps): ReactNode {
  const { digest, runtime, modelVersion } = prediction;
  const answered: readonly Fact[] = [
    [
      'Version',
      <PageLink
        key="version"
        to="/models/$model/versions/$version"
        params={{ model: prediction.model, version: String(modelVersion) }}
      >
        {`${prediction.model} `}
        <Text span inherit fw={600}>{`v${modelVersion}`}</Text>
      </PageLink>,
    ],
    ['Digest', <CopyCode key="digest" code={digest} shown={formatDigest(digest)} />],
    ['Runtime', runtime],
  ];
  return (
    <Section title="Model">
      <Facts facts={[...answered, ...(model === null ? [] : registered(model))]} />
      {model === null && (
        <Text size="sm" c="dimmed" mt="sm">
          This version is no longer in the registry.
        </Text>
      )}
    </Section>
  );
}

function registered(model: ModelVersion): readonly Fact[] {
  const { id, sizeBytes, format, createdAt, createdBy, description, signature } = model;
  return [
    ['Size', `${formatBytes(sizeBytes)}, ${format.toUpperCase()}`],
    ['Registered', <Instant key="created" value={createdAt} clock="wall" withClock />],
    ['By', createdBy],
    ['Description', description === '' ? null : description],
    ['Inputs', <Tensors key="inputs" specs={signature.inputs} />],
    ['Outputs', <Tensors key="outputs" specs={signature.outputs} />],
    ['Id', <CopyCode key="id" code={id} />],
  ];
}

function Tensors({ specs }: { readonly specs: readonly TensorSpec[] }): ReactNode {
  return specs.map(({ name, datatype, shape }) => (
    <div key={name}>
      {`${name} `}
      <Text span inherit c="dimmed">
        {`${datatype} [${shape.map((length) => (length === -1 ? 'any' : length)).join(', ')}]`}
      </Text>
    </div>
  ));
}
