import { config } from 'zod';

/**
 * Zod compiles object schemas with `new Function` unless told not to, and the page's policy forbids
 * that: the browser would report each attempt. Must run before any contract makes a schema, which
 * vite.config.ts sees to.
 */
config({ jitless: true });
