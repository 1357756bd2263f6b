import { spawn } from 'node:child_process';
import { childEnv, ROOT } from './run.ts';

/**
 * `npm run dev`: the server, restarted when its source changes, and Vite's page on top of it. The
 * page is on Vite's port; API calls go through to the server.
 */
const children = [
  [process.execPath, '--watch', 'src/app/main.ts', 'up', ...process.argv.slice(2)],
  ['vite'],
].map(([command, ...args]) =>
  spawn(command!, args, { cwd: ROOT, env: childEnv(), stdio: 'inherit' }),
);

function stop(): void {
  for (const child of children) child.kill('SIGTERM');
}

process.on('SIGINT', stop);
process.on('SIGTERM', stop);
// One without the other is no use: whichever ends, ends both.
for (const child of children) {
  child.on('exit', (code) => {
    process.exitCode ||= code ?? 0;
    stop();
  });
}
