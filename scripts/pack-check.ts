import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Obstacle, runMain, say, step } from './progress.mjs';
import { ROOT, run } from './run.ts';

/**
 * `npm run pack-check`, before a release: packs what would be published, installs that alone into
 * an empty folder, and uses it there.
 */
await runMain(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millwright-pack-'));
  try {
    await step('pack', () => must('npm', ['pack', '--pack-destination', folder]));
    const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'));
    if (tarball === undefined) throw new Obstacle('npm pack made no tarball.');
    const home = join(folder, 'home');
    await step('install', () => must('npm', ['install', '--prefix', home, join(folder, tarball)]));
    await step('use', () => use(join(home, 'node_modules', '.bin', 'millwright'), folder));
    say('The package installs and runs.');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

async function use(program: string, folder: string): Promise<void> {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    version: string;
  };
  const said = await must(program, ['--version']);
  if (said.trim() !== version) throw new Obstacle(`--version said ${said}, not ${version}.`);
  const dist = join(folder, 'home', 'node_modules', 'millwright', 'dist');
  const bom = JSON.parse(readFileSync(join(dist, 'sbom.cdx.json'), 'utf8')) as {
    readonly components: readonly object[];
  };
  if (bom.components.length === 0) throw new Obstacle('The bill of materials is empty.');
  const page = join(dist, 'web', 'index.html');
  if (!readFileSync(page, 'utf8').includes('<script')) throw new Obstacle('The web UI is empty.');
  // Becomes the owner of a new state folder: every part starts, and stops.
  await must(program, ['--state', join(folder, 'state'), '--json', 'status']);
  // And as somebody begins: a folder of one's own, and what it declares.
  const project = join(folder, 'project');
  mkdirSync(project);
  await must('sh', ['-c', `cd '${project}' && '${program}' init && '${program}' plan`]);
}

async function must(command: string, args: readonly string[]): Promise<string> {
  const { code, output } = await run(command, args);
  if (code !== 0) throw new Obstacle(`${output}\n${command} ${args.join(' ')} ended with ${code}.`);
  return output;
}
