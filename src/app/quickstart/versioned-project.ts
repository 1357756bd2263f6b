import { execFile } from 'node:child_process';
import { stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

/** A bare repository beside the project's own: it stands for the server of a team. */
const SERVER = 'origin.git';

/** Of the quickstart's own; a package carries no .gitignore, so the example's may be missing. */
const IGNORED = [`/${SERVER}/`, '/report.html', '/data/', '/out/', '.millwright/', '__pycache__/'];

/** What a first commit needs where nobody has told git who they are. */
const IDENTITY = ['-c', 'user.name=Millwright quickstart', '-c', 'user.email=quickstart@localhost'];

/**
 * Puts the project under version control, as a team's is: committed and pushed. Answers the commit,
 * or null where there is no git; then runs pin the code by its hash alone.
 */
export async function versionProject(folder: string): Promise<string | null> {
  try {
    if (!(await isCommitted(folder))) await commitAll(folder);
    return (await git(folder, ['rev-parse', '--short', 'HEAD'])).trim();
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw thrown;
  }
}

/** By a repository of its own: the one that a clone lies in is not asked. */
async function isCommitted(folder: string): Promise<boolean> {
  if (!(await isThere(path.join(folder, '.git')))) return false;
  return git(folder, ['rev-parse', '--verify', '--quiet', 'HEAD']).then(
    () => true,
    () => false,
  );
}

/** Each step may be repeated: a former start may have been killed after any of them. */
async function commitAll(folder: string): Promise<void> {
  const server = path.join(folder, SERVER);
  await git(folder, ['init', '--quiet', '--bare', '--initial-branch=main', server]);
  await git(folder, ['init', '--quiet', '--initial-branch=main']);
  await writeFile(path.join(folder, '.git', 'info', 'exclude'), `${IGNORED.join('\n')}\n`);
  await git(folder, ['config', 'remote.origin.url', server]);
  await git(folder, ['config', 'remote.origin.fetch', '+refs/heads/*:refs/remotes/origin/*']);
  await git(folder, ['add', '--all']);
  const message = ['--message', 'Ask at departure whether a flight will be late'];
  await git(folder, [...IDENTITY, 'commit', '--quiet', ...message]);
  await git(folder, ['push', '--quiet', '--set-upstream', 'origin', 'HEAD:main']);
}

async function git(cwd: string, args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('git', [...args], { cwd });
  return stdout;
}

async function isThere(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}
