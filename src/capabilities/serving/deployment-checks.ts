import { AppError } from '../../base/errors.ts';
import type { DeploymentCheck } from './contract.ts';
import { checkConsistency } from './check-consistency.ts';
import { checkDefinition } from './check-definition.ts';
import { checkGolden } from './check-golden.ts';
import { checkSignature } from './check-signature.ts';
import type { FeatureSource, ServedFeatures } from './served-features.ts';
import type { VersionOrigins } from './version-origin.ts';
import type { WarmModel } from './warm-models.ts';

/** Proves before a version takes traffic that it gets the features it was trained on. */
export class DeploymentChecks {
  readonly #origins: VersionOrigins;
  readonly #source: FeatureSource;

  constructor(deps: { readonly origins: VersionOrigins; readonly source: FeatureSource }) {
    this.#origins = deps.origins;
    this.#source = deps.source;
  }

  /**
   * What was found, for the revision to keep. For versions that were replayed under these features
   * before, where every second counts, nothing is replayed again. Rejects with `DEFINITION_SKEW` or
   * `DEPLOYMENT_REFUSED`, all findings in `details.checks`, when a version must not be deployed.
   */
  async run(
    models: readonly WarmModel[],
    features: ServedFeatures,
    replayed: ReadonlySet<number>,
  ): Promise<readonly DeploymentCheck[]> {
    const found: DeploymentCheck[] = [];
    for (const warm of models) {
      const isReplayed = replayed.has(warm.version.version);
      found.push(...(await this.#check(warm, features, isReplayed)));
    }
    const refused = found.find(({ result }) => result === 'refused');
    if (refused === undefined) return found;
    const isSkew = refused.name === 'definition';
    throw new AppError(
      isSkew ? 'DEFINITION_SKEW' : 'DEPLOYMENT_REFUSED',
      `Refused: ${refused.summary}.`,
      {
        hint: isSkew
          ? 'Nothing was changed. Train on a set of this service (millwright features train-set) ' +
            'whose pin is an input of the step that trains.'
          : 'Nothing was changed: the endpoint answers as before.',
        details: { checks: found },
      },
    );
  }

  /** The cheap ones first: what they refuse needs no replay. */
  async #check(
    warm: WarmModel,
    features: ServedFeatures,
    isReplayed: boolean,
  ): Promise<readonly DeploymentCheck[]> {
    const source = this.#source;
    const { model, version } = warm.version;
    const origin = await this.#origins.originOf(model, version);
    const columns = origin?.columns ?? null;
    const first = [
      await checkDefinition(warm, { origin, features, source }),
      checkSignature(warm, { features, columns }),
    ];
    const isRefused = first.some(({ result }) => result === 'refused');
    if (isRefused || isReplayed) return first;
    const golden = await checkGolden(warm, { origin, features });
    return [...first, golden, await checkConsistency(warm, { origin, features, source })];
  }
}
