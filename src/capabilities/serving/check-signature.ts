import type { DeploymentCheck } from './contract.ts';
import type { ServedFeatures } from './served-features.ts';
import type { WarmModel } from './warm-models.ts';

/**
 * One FP32 input of shape [rows, features]: what a joined vector can be given to; and where the
 * model names its columns, those in the order of the vector.
 */
export function checkSignature(
  { version, loaded }: Pick<WarmModel, 'version' | 'loaded'>,
  on: { readonly features: ServedFeatures; readonly columns: readonly string[] | null },
): DeploymentCheck {
  const { features, columns } = on;
  const width = features.features.length;
  const about = {
    name: 'signature',
    version: version.version,
    numbers: { features: width },
  } as const;
  const model = `${version.model}@${version.version}`;
  const { inputs } = loaded.signature;
  const given = `service ${features.service} gives one FP32 [-1, ${width}]`;
  const [input] = inputs;
  const isVector = inputs.length === 1 && input!.datatype === 'FP32' && input!.shape.length === 2;
  if (!isVector || (input!.shape[1] !== -1 && input!.shape[1] !== width)) {
    const taken = inputs.map(
      ({ name, datatype, shape }) => `${name} ${datatype} [${shape.join(', ')}]`,
    );
    const summary = `${model} takes ${taken.join(' and ') || 'no input'}; ${given}`;
    return { ...about, result: 'refused', summary };
  }
  if (columns === null) {
    const summary = `takes ${width} features in one FP32 input; its columns have no names`;
    return { ...about, result: 'passed', summary };
  }
  const place = columns.findIndex((name, index) => name !== features.features[index]);
  if (columns.length === width && place === -1) {
    return { ...about, result: 'passed', summary: `takes ${width} features, named in this order` };
  }
  const summary =
    columns.length === width
      ? `column ${place + 1} of ${model} is ${columns[place]}, ` +
        `feature ${place + 1} of ${features.service} is ${features.features[place]}`
      : `${model} names ${columns.length} columns; ${given}`;
  return { ...about, result: 'refused', summary };
}
