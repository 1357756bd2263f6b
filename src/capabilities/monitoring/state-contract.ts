import { z } from 'zod';

/**
 * `warn` is worth a look, `alert` is worth waking somebody. `no_data` and `too_few_labels` say that
 * nothing can be said, which is not the same as fine.
 */
export const CheckState = z.enum(['ok', 'warn', 'alert', 'no_data', 'too_few_labels']);
export type CheckState = z.infer<typeof CheckState>;
