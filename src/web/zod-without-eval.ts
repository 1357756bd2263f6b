import { config } from 'zod';

/**
 * Zod compiles object schemas with `new Function` unless told not to, and the page's policy forbids
 * that: the browser would report each attempt. Must be imported before any contract.
 */
config({ jitless: true });
