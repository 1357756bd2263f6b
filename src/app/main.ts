#!/usr/bin/env node
import { enableCompileCache } from 'node:module';

// Before anything else is loaded: a warm start parses nothing twice.
enableCompileCache();
const { runCli } = await import('./cli.ts');
process.exitCode = await runCli(process.argv);
