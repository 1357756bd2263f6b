import type { FoundProject } from './find-project.ts';

/** The text of a project's first `millwright.yaml`: what was found, and what may be declared. */
export function firstDeclaration(
  name: string,
  found: FoundProject,
  options: { readonly schema: string },
): string {
  return [
    `# yaml-language-server: $schema=${options.schema}`,
    '# What Millwright keeps for this project. `millwright plan` shows what would change, and',
    '# `millwright apply` does it; nothing here changes anything by itself.',
    'version: 1',
    `name: ${name}`,
    '',
    ...pipelines(found),
    ...EXAMPLES,
    '',
  ].join('\n');
}

function pipelines({ stages, lock, requirements }: FoundProject): readonly string[] {
  if (stages === null) return [];
  const head = '# How the stages of dvc.yaml run: millwright run';
  if (lock !== null) {
    return [head, 'pipelines:', `  python: { requirements: ${JSON.stringify(lock)} }`, ''];
  }
  const source = requirements.find((file) => file.startsWith('requirements')) ?? 'requirements.in';
  return [
    `${head}. They take the Python on the PATH; for an environment of their own`,
    `# make a lock with hashes: uv pip compile --generate-hashes ${source} -o requirements.lock`,
    '# pipelines:',
    '#   python: { requirements: requirements.lock }',
    '',
  ];
}

/** Each is a whole section: without its `# ` it is valid. */
const EXAMPLES = [
  '# Where a model answers: POST /v2/models/NAME/infer. Register the model first, or log it with',
  '# MLflow (registered_model_name=...), then: millwright deploy NAME@1',
  '# endpoints:',
  '#   my_model: { model: my_model, key: request_key }',
  '',
  '# What is watched of an endpoint, day by day. Quality needs a label, see below.',
  '# monitors:',
  '#   my_model: { quality: { metric: mae, window: 7d, drop: 5 } }',
  '',
  '# Tables that features, training sets and labels are made of: millwright tables create',
  '# sources:',
  '#   outcomes:',
  '#     kind: events',
  '#     table: outcomes',
  '#     id: request_key',
  '#     event_time: { column: known_at, timezone: UTC }',
  '#     columns: { value: double }',
  '',
  '# What came of a request, found by the key of its endpoint; known for all after `mature`.',
  '# labels:',
  '#   my_model: { source: outcomes, match: request_key, value: value, mature: 1d }',
];
