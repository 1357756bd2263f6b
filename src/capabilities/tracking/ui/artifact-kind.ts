import { formatBytes } from '../../../web/kit/format.ts';

/** How a file of a run can be shown in the page. */
export type ArtifactKind = 'json' | 'text' | 'image';

/** A page of text; longer files are for a program. */
export const TEXT_BYTES_MAX = 256 * 1024;
/** A picture of a chart, not a data set of pictures. */
export const IMAGE_BYTES_MAX = 5 * 1024 * 1024;

const KINDS: readonly (readonly [ArtifactKind, RegExp])[] = [
  ['json', /\.(?:json|ipynb)$/i],
  ['image', /\.(?:png|jpe?g|gif|webp|svg)$/i],
  [
    'text',
    /(?:\.(?:txt|md|csv|tsv|ya?ml|toml|ini|cfg|log|py|r|sh|sql|lock|xml|html?)|(?:^|\/)(?:MLmodel|Dockerfile|dvc\.lock|\.gitignore))$/i,
  ],
];

/** Null for what only a program reads. */
export function artifactKind(path: string): ArtifactKind | null {
  return KINDS.find(([, pattern]) => pattern.test(path))?.[0] ?? null;
}

/** Why a file is not shown, or null when it can be. */
export function whyNotShown(path: string, sizeBytes: number | null): string | null {
  const kind = artifactKind(path);
  if (kind === null) return 'A file of this kind is not shown here; download it.';
  const most = kind === 'image' ? IMAGE_BYTES_MAX : TEXT_BYTES_MAX;
  if (sizeBytes === null || sizeBytes <= most) return null;
  return `Files up to ${formatBytes(most)} are shown here; download this one.`;
}

/** JSON indented, or the text as it is where it is none. */
export function previewText(kind: ArtifactKind, text: string): string {
  if (kind !== 'json') return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** Folders above a path, outermost first: `a/b/c` has `a` and `a/b`. */
export function foldersAbove(path: string): readonly string[] {
  const parts = path.split('/').filter((part) => part !== '');
  return parts.slice(0, -1).map((_, index) => parts.slice(0, index + 1).join('/'));
}

export function fileName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
