import { AppError } from '../../base/errors.ts';
import { readArtifactPath } from './artifact-path.ts';

/** Where a model version's files are, as clients name it. */
export type ModelSource =
  | { readonly kind: 'run'; readonly runId: string; readonly path: string }
  | { readonly kind: 'logged-model'; readonly modelId: string }
  | { readonly kind: 'version'; readonly model: string; readonly version: string }
  | { readonly kind: 'artifacts'; readonly path: string };

const SCHEME = 'mlflow-artifacts:';

/** `mlflow-artifacts:/1/0192.../artifacts`: bytes that only ever pass through this server. */
export function artifactUri(path: string): string {
  return `${SCHEME}/${path}`;
}

/** The path below the artifact root; null for a URI of another kind. */
export function artifactPathOf(uri: string): string | null {
  const match = /^mlflow-artifacts:(?:\/\/[^/?#]*)?\/+(.*)$/i.exec(uri);
  return match === null ? null : readArtifactPath(match[1]!);
}

/**
 * `runs:/<run id>/<path>`, `models:/m-<id>`, `models:/<name>/<version>` or an artifact URI.
 * Everything else is refused: the server opens nothing outside its own artifact root.
 */
export function readModelSource(source: string): ModelSource {
  const [, runId, path] = /^runs:\/+([^/]+)\/(.+)$/.exec(source) ?? [];
  if (runId !== undefined) return { kind: 'run', runId, path: readArtifactPath(path!) };
  const [, modelId] = /^models:\/+(m-[0-9a-f]{32})$/.exec(source) ?? [];
  if (modelId !== undefined) return { kind: 'logged-model', modelId };
  const [, model, version] = /^models:\/+([^/@]+)\/(\d+)$/.exec(source) ?? [];
  if (model !== undefined) return { kind: 'version', model, version: version! };
  const artifacts = artifactPathOf(source);
  if (artifacts !== null) return { kind: 'artifacts', path: artifacts };
  throw new AppError(
    'INVALID_INPUT',
    `Invalid model version source: ${JSON.stringify(source.slice(0, 200))}.`,
    { hint: 'Use runs:/RUN/PATH, models:/m-ID, models:/NAME/VERSION or mlflow-artifacts:/PATH.' },
  );
}
