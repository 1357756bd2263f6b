import { writeFileSync } from 'node:fs';
import { reports } from './rig/report-text.ts';

/** Puts the tables of bench/results into bench/README.md, and the budgets into README.md. */

for (const { file, text } of await reports()) writeFileSync(file, text);
