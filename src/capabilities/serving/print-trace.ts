import type { Output } from '../../platform/cli/output.ts';
import type { Trace, TracedFeatures, TracedOrigin } from './contract.ts';

const SHOWN_CHARS = 200;
const SHOWN_ROWS = 3;
const HASH_DIGITS = 12;

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
  if (trace.features !== null) printFeatures(trace.features, out);
  if (trace.origin !== null) printOrigin(trace.origin, out);
  if (labelsMissing !== null) out.line(`  label      some may be missing: ${labelsMissing}`);
  else if (labels.length === 0) out.line('  label      none yet');
  for (const label of labels) {
    out.line(`  label      ${String(label.value)} at ${label.at} (revision ${label.revision})`);
  }
}

/** `origin_late_7d 0.412 = recomputed 0.412 ✔`, a line a feature. */
function printFeatures(features: TracedFeatures, out: Output): void {
  const { service, definition, rows, notRecomputed } = features;
  const values = rows.flatMap((row) => row.values);
  const differ = values.filter(({ isSame }) => isSame === false).length;
  const verdict =
    notRecomputed === null
      ? `${values.length - differ} of ${values.length} recomputed the same`
      : `not recomputed: ${notRecomputed}`;
  out.line(`  features   ${service} ${shortHash(definition)}   ${verdict}`);
  for (const { entity, values: vector } of rows.slice(0, SHOWN_ROWS)) {
    const who = Object.entries(entity).map(([name, value]) => `${name}=${value}`);
    out.line(`    ${who.join(', ')}`);
    const width = Math.max(0, ...vector.map(({ name }) => name.length));
    for (const { name, served, recomputed, isSame } of vector) {
      const beside =
        isSame === null
          ? ''
          : ` ${isSame ? '=' : '≠'} recomputed ${recomputed} ${isSame ? '✔' : '✘'}`;
      out.line(`      ${name.padEnd(width)}  ${served}${beside}`);
    }
  }
  const more = rows.length - SHOWN_ROWS;
  if (more > 0) out.line(`    and ${more} more rows (--json shows all)`);
}

function printOrigin(origin: TracedOrigin, out: Output): void {
  const { run, codeCommit, codeTree, environment, trainingSet, tables, definition } = origin;
  const code = [
    codeCommit === null ? '' : `   commit ${shortHash(codeCommit)}`,
    codeTree === null ? '' : `   tree ${shortHash(codeTree)}`,
    environment === null ? '' : `   environment ${shortHash(environment)}`,
  ];
  out.line(`  run        ${run}${code.join('')}`);
  const parts = [
    ...(trainingSet === null ? [] : [`${trainingSet.name}@v${trainingSet.version}`]),
    ...(tables.length === 0
      ? []
      : [tables.map(({ table, version }) => `${table}@v${version}`).join(', ')]),
    ...(definition === null ? [] : [`features ${shortHash(definition)}`]),
  ];
  if (parts.length > 0) out.line(`  trained on ${parts.join(' ← ')}`);
}

function shortHash(hash: string): string {
  return hash.slice(0, HASH_DIGITS);
}

function short(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length <= SHOWN_CHARS ? text : `${text.slice(0, SHOWN_CHARS)}… (--json shows all)`;
}
