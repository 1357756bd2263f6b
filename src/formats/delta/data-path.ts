import { AppError } from '../../base/errors.ts';

/**
 * The file an add action's path means: URI-encoded, relative to the table's folder or absolute
 * ("Add File" in PROTOCOL.md). `TABLE_FEATURE_UNSUPPORTED` for another file system,
 * `TABLE_CORRUPT` for what is no URI.
 */
export function resolveDataPath(location: string, path: string): string {
  const scheme = /^([a-zA-Z][a-zA-Z0-9+.-]*):/.exec(path)?.[1]?.toLowerCase();
  if (scheme !== undefined && scheme !== 'file') {
    throw new AppError('TABLE_FEATURE_UNSUPPORTED', `The table refers to a file at ${scheme}:.`, {
      hint: 'Only tables whose files lie on this machine can be read.',
    });
  }
  const local = decode(scheme === undefined ? path : path.replace(/^file:(?:\/\/)?/i, ''));
  return local.startsWith('/') ? local : `${location}/${local}`;
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch (cause) {
    throw new AppError('TABLE_CORRUPT', `The log names a file by the bad URI ${path}.`, {
      hint: 'Restore the commit that added it from a backup.',
      cause,
    });
  }
}
