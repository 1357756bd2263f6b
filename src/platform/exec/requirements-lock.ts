import { AppError } from '../../base/errors.ts';

/** Options of pip that say where to look; others change what is installed, unseen by the hash. */
const ALLOWED_OPTIONS = [
  '--index-url',
  '-i',
  '--extra-index-url',
  '--no-index',
  '--find-links',
  '-f',
  '--trusted-host',
  '--only-binary',
  '--no-binary',
  '--prefer-binary',
  '--require-hashes',
];

export interface LockedRequirement {
  /** `numpy==2.4.6`, with what stands before its hashes. */
  readonly text: string;
  /** Normalised as pip does. */
  readonly name: string;
  readonly line: number;
}

/** Reads a requirements file that pins every package by hash; refuses any other, by line. */
export function readRequirementsLock(text: string, file: string): readonly LockedRequirement[] {
  const fault = (line: number, message: string, hint: string): AppError =>
    new AppError('ENVIRONMENT_FAILED', `${file}:${line}: ${message}`, { hint });
  const found: LockedRequirement[] = [];
  for (const { line, content } of logicalLines(text)) {
    if (content.startsWith('-')) {
      const option = content.split(/[\s=]/)[0] ?? '';
      if (ALLOWED_OPTIONS.includes(option)) continue;
      throw fault(line, `${option} is not supported in a lock`, 'List every package in this file.');
    }
    const requirement = (content.split(/\s--hash/)[0] ?? '').trim();
    if (!/(?:==|===|\s@\s)/.test(requirement)) {
      throw fault(line, `${requirement} has no exact version`, HINT);
    }
    if (!/--hash[=\s]+\w+:[0-9a-f]+/.test(content)) {
      throw fault(line, `${requirement} has no hash`, HINT);
    }
    found.push({ text: requirement, name: packageName(requirement), line });
  }
  return found;
}

const HINT =
  'Make the lock with: uv pip compile --generate-hashes, or pip-compile --generate-hashes';

/** Lines joined over backslashes, without comments, with the number of their first line. */
function logicalLines(
  text: string,
): readonly { readonly line: number; readonly content: string }[] {
  const joined: { line: number; content: string }[] = [];
  let open = { line: 0, content: '' };
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const content = raw.replace(/(^|\s)#.*$/, '').trim();
    // A comment between the lines of one requirement does not end it.
    if (content === '' && raw.trim() !== '') continue;
    const isContinued = content.endsWith('\\');
    const part = isContinued ? content.slice(0, -1) : content;
    open = { line: open.line || index + 1, content: `${open.content} ${part}`.trim() };
    if (isContinued) continue;
    joined.push(open);
    open = { line: 0, content: '' };
  }
  joined.push(open);
  return joined.filter(({ content }) => content !== '');
}

export function packageName(requirement: string): string {
  const name = /^[A-Za-z0-9._-]+/.exec(requirement)?.[0] ?? '';
  return name.toLowerCase().replaceAll(/[-_.]+/g, '-');
}
