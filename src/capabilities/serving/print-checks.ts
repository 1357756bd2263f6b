import type { AppError } from '../../base/errors.ts';
import type { Output } from '../../platform/cli/output.ts';
import { DeploymentCheck } from './contract.ts';

const SIGNS = { passed: '✔', refused: '✘', not_done: '·' } as const;

/** A line a check; versions are named when there are several. */
export function printChecks(checks: readonly DeploymentCheck[], out: Output): void {
  const versions = new Set(checks.map(({ version }) => version));
  for (const { name, version, result, summary } of checks) {
    const about = versions.size > 1 ? `v${version} ${name}` : name;
    out.line(`  ${SIGNS[result]} ${about.padEnd(12)} ${summary}`);
  }
}

/** What a refused deployment found; null for any other error. */
export function refusedChecks({ code, details }: AppError): readonly DeploymentCheck[] | null {
  if (code !== 'DEFINITION_SKEW' && code !== 'DEPLOYMENT_REFUSED') return null;
  return DeploymentCheck.array().safeParse(details?.['checks']).data ?? null;
}
