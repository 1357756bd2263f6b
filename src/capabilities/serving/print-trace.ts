import type { Output } from '../../platform/cli/output.ts';
import type { Trace } from './contract.ts';

const SHOWN_CHARS = 200;

/** The chain of one request, for people. */
export function printTrace(trace: Trace, out: Output): void {
  const { prediction: request, route, model, labels, labelsMissing } = trace;
  const arm = route?.arms.find(({ name }) => name === request.arm);
  const share = arm === undefined ? '' : ` ${arm.weight / 100} %`;
  const why = [`${request.reason}: ${request.arm}${share}`];
  if (request.bucket !== null) why.push(`bucket ${request.bucket}`);
  const outcome = request.status === 200 ? '' : ` · ${request.status} ${request.errorCode}`;
  out.line(
    `${request.endpoint} v${request.modelVersion} · route revision ${request.routeRevision} ` +
      `(${why.join(', ')}) · ${(request.totalUs / 1000).toFixed(2)} ms${outcome}`,
  );
  out.line(
    `  answered   ${request.now} (domain)   ${request.wall} (wall)   from the ${request.source}`,
  );
  if (request.refused !== undefined) out.line(`  refused    by its table: ${request.refused}`);
  if (request.key !== null) out.line(`  key        ${request.key}`);
  if (route !== null) {
    const restores = route.restores === null ? '' : `, restores revision ${route.restores}`;
    const reason = route.reason === '' ? '' : ` (${route.reason})`;
    out.line(
      `  route      revision ${route.revision} by ${route.actor} at ${route.wall}${reason}${restores}`,
    );
  }
  if (model !== null) {
    out.line(
      `  model      ${model.model}@${model.version}   sha256 ${request.digest.slice(0, 12)}   ` +
        `registered ${model.createdAt} by ${model.createdBy}`,
    );
  }
  out.line(
    `  runtime    ${request.runtime}   inference ${request.inferenceUs} us of ${request.totalUs} us`,
  );
  if (request.truncated) out.line('  inputs     too long to log');
  else {
    out.line(`  inputs     ${short(request.inputs)}`);
    out.line(`  outputs    ${short(request.outputs)}`);
  }
  if (labelsMissing !== null) out.line(`  label      some may be missing: ${labelsMissing}`);
  else if (labels.length === 0) out.line('  label      none yet');
  for (const label of labels) {
    out.line(`  label      ${String(label.value)} at ${label.at} (revision ${label.revision})`);
  }
}

function short(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length <= SHOWN_CHARS ? text : `${text.slice(0, SHOWN_CHARS)}… (--json shows all)`;
}
