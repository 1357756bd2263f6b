import { Obstacle, runMain, say } from './progress.mjs';
import { run } from './run.ts';
import {
  declaredScripts,
  problemsOf,
  readLock,
  shippedPackages,
  webImports,
} from './shipped-packages.ts';

/**
 * `npm run audit`: licences and install scripts of everything shipped, from the lock file; then
 * what the registry knows of weaknesses, where it answers.
 */
await runMain(async () => {
  const shipped = shippedPackages(readLock(), webImports());
  const problems = problemsOf(shipped, declaredScripts());
  if (problems.length > 0) throw new Obstacle(problems.join('\n'));
  const bundled = shipped.filter(({ isBundled }) => isBundled).length;
  say(
    `  ${shipped.length - bundled} packages installed, ${bundled} bundled: licences and scripts ok`,
  );
  const { output } = await run('npm', ['audit', '--json', '--loglevel', 'silent']);
  say(adviceOf(output, new Set(shipped.map(({ name }) => name))));
});

interface Audit {
  readonly vulnerabilities?: Readonly<Record<string, { readonly severity: string }>>;
  readonly message?: string;
}

/** Throws when something shipped has a known weakness; tools that only build it are told of. */
function adviceOf(output: string, shipped: ReadonlySet<string>): string {
  const start = output.indexOf('{');
  const audit = (start === -1 ? {} : JSON.parse(output.slice(start))) as Audit;
  if (audit.vulnerabilities === undefined) {
    const why = (audit.message ?? output.trim()).replace(/\s*-?\s*(?:POST\s+)?https?:\S+/, '');
    return `  weaknesses: NOT CHECKED, the registry answers no audit here (${why})`;
  }
  const found = Object.entries(audit.vulnerabilities);
  const told = found.map(([name, { severity }]) => `${name}: ${severity}`);
  const bad = found.filter(([name]) => shipped.has(name));
  if (bad.length > 0) throw new Obstacle(`Known weaknesses: ${told.join(', ')}.`);
  return found.length === 0
    ? '  weaknesses: none known to the registry'
    : `  weaknesses: none of what is shipped; of tools: ${told.join(', ')}`;
}
