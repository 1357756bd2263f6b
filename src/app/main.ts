#!/usr/bin/env node
import { startCompileCache } from '../platform/system.ts';

// A reader that has left (`millwright events | head`) is no failure, and no reason for a server to
// stop.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

// Before anything else is loaded: a warm start parses nothing twice.
startCompileCache();
const { runCli } = await import('./cli.ts');
process.exitCode = await runCli(process.argv);
