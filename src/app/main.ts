#!/usr/bin/env node
import { startCompileCache } from '../platform/system.ts';

// Before anything else is loaded: a warm start parses nothing twice.
startCompileCache();
const { runCli } = await import('./cli.ts');
process.exitCode = await runCli(process.argv);
