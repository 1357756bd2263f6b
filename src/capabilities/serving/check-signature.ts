import type { DeploymentCheck } from './contract.ts';
import type { ServedFeatures } from './served-features.ts';
import type { WarmModel } from './warm-models.ts';

/** One FP32 input of shape [rows, features]: what a joined vector can be given to. */
export function checkSignature(
  { version, loaded }: WarmModel,
  { service, features }: ServedFeatures,
): DeploymentCheck {
  const { inputs } = loaded.signature;
  const about = { name: 'signature', version: version.version } as const;
  const refused = (summary: string): DeploymentCheck => ({
    ...about,
    result: 'refused',
    summary,
    numbers: { features: features.length },
  });
  const model = `${version.model}@${version.version}`;
  const [input] = inputs;
  if (input === undefined || inputs.length > 1) {
    return refused(
      `${model} takes ${inputs.length} inputs; with features it must take one: FP32 [-1, ${features.length}].`,
    );
  }
  const width = input.shape[1];
  const isVector = input.datatype === 'FP32' && input.shape.length === 2;
  if (!isVector || (width !== -1 && width !== features.length)) {
    return refused(
      `${model} takes ${input.name}: ${input.datatype} [${input.shape.join(', ')}]; ` +
        `service ${service} gives FP32 [-1, ${features.length}].`,
    );
  }
  return {
    ...about,
    result: 'passed',
    summary: `takes FP32 [${input.shape.join(', ')}], the service gives ${features.length} features`,
    numbers: { features: features.length },
  };
}
