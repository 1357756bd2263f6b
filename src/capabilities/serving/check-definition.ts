import type { DeploymentCheck } from './contract.ts';
import { definitionDifference } from './definition-difference.ts';
import type { FeatureSource, ServedFeatures } from './served-features.ts';
import type { VersionOrigin } from './version-origin.ts';
import type { WarmModel } from './warm-models.ts';

const SHOWN_DIGITS = 12;
const SHOWN_DIFFERENCES = 5;

/**
 * The founding case: a model trained on lifetime averages, served by 30-day ones, answers worse and
 * worse without an error. So the run must name the definition it was trained on, and that must be
 * the one that answers.
 */
export async function checkDefinition(
  { version }: Pick<WarmModel, 'version'>,
  on: {
    readonly origin: VersionOrigin | null;
    readonly features: ServedFeatures;
    readonly source: Pick<FeatureSource, 'definition'>;
  },
): Promise<DeploymentCheck> {
  const { origin, features, source } = on;
  const about = { name: 'definition', version: version.version, numbers: {} } as const;
  const model = `${version.model}@${version.version}`;
  if (origin === null || origin.definition === null) {
    const who = origin === null ? 'comes from no run' : `comes from ${origin.run}, which pins none`;
    const summary = `it is not known which feature definition ${model} was trained on: it ${who}`;
    return { ...about, result: 'refused', summary };
  }
  const { service, definition } = features;
  if (origin.definition === definition) {
    const summary = `trained on ${service} ${short(definition)}, which answers`;
    return { ...about, result: 'passed', summary };
  }
  const summary =
    `${model} was trained on definition ${short(origin.definition)}, ` +
    `${service} answers by ${short(definition)}`;
  const [trained, served] = await Promise.all([
    source.definition(origin.definition),
    source.definition(definition),
  ]);
  if (trained === null || served === null) return { ...about, result: 'refused', summary };
  const different = definitionDifference(trained, served);
  const more = different.length - SHOWN_DIFFERENCES;
  const words = different.slice(0, SHOWN_DIFFERENCES).join('; ');
  return {
    ...about,
    result: 'refused',
    summary: `${summary}: ${words}${more > 0 ? `; and ${more} more` : ''}`,
  };
}

function short(hash: string): string {
  return hash.slice(0, SHOWN_DIGITS);
}
