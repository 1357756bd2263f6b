import { AppError } from '../../base/errors.ts';
import type { DeploymentCheck } from './contract.ts';
import type { ServedFeatures } from './served-features.ts';
import { checkSignature } from './check-signature.ts';
import type { WarmModel } from './warm-models.ts';

/** Proves before a version takes traffic that it gets the features it was trained on. */
export class DeploymentChecks {
  /**
   * What was found, for the revision to keep. Rejects with `DEFINITION_SKEW` or
   * `DEPLOYMENT_REFUSED`, all findings in `details.checks`, when a version must not be deployed.
   */
  async run(
    models: readonly WarmModel[],
    features: ServedFeatures,
  ): Promise<readonly DeploymentCheck[]> {
    const checks = models.map((warm) => checkSignature(warm, features));
    const refused = checks.find(({ result }) => result === 'refused');
    if (refused === undefined) return checks;
    throw new AppError('DEPLOYMENT_REFUSED', refused.summary, {
      hint: 'Nothing was changed: the endpoint answers as before.',
      details: { checks },
    });
  }
}
