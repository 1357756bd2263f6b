import { AppError } from '../../base/errors.ts';

/** Bytes of a whole path: it is a key of the database, which holds no longer ones. */
const PATH_BYTES_MAX = 1000;
/** Decodings until a path no longer changes; an honest client encodes once. */
const DECODINGS_MAX = 5;

/**
 * A path below the artifact root as its normal form without a leading slash, `''` for the root.
 * Whatever could lead elsewhere, in any encoding, is refused alike, so that nothing is learnt from
 * the answer: `..`, absolute paths, backslashes, drive letters, schemes, `#`, control characters.
 */
export function readArtifactPath(written: string): string {
  // Text that decodes to something dangerous is refused even where it would be kept as it is.
  const decoded = decodeFully(written);
  for (const text of [written, decoded]) if (isDangerous(text)) throw invalidPath();
  const path = written.replace(/\/$/, '');
  if (path === '') return '';
  if (path.split('/').some((part) => part === '' || part === '.')) throw invalidPath();
  if (new TextEncoder().encode(path).length > PATH_BYTES_MAX) {
    throw new AppError('INVALID_INPUT', `An artifact path has at most ${PATH_BYTES_MAX} bytes.`);
  }
  return path;
}

/** The path of a request line, percent-encoded once as HTTP does. */
export function readUrlPath(encoded: string): string {
  let path: string;
  try {
    path = decodeURIComponent(encoded);
  } catch {
    throw invalidPath();
  }
  return readArtifactPath(path);
}

function isDangerous(text: string): boolean {
  return (
    // oxlint-disable-next-line eslint/no-control-regex -- they are what is looked for
    /[\u0000-\u001f\u007f\\#]/.test(text) ||
    text.startsWith('/') ||
    /^[a-z][a-z0-9+.-]*:\/|^[a-z]:/i.test(text) ||
    text.split('/').some((part) => part.trim() === '..')
  );
}

function decodeFully(text: string): string {
  let decoded = text;
  for (let round = 0; round < DECODINGS_MAX; round += 1) {
    let next: string;
    try {
      next = decodeURIComponent(decoded);
    } catch {
      // A name may hold a percent sign that encodes nothing.
      return decoded;
    }
    if (next === decoded) return decoded;
    decoded = next;
  }
  throw invalidPath();
}

function invalidPath(): AppError {
  return new AppError('INVALID_INPUT', 'Invalid path');
}
