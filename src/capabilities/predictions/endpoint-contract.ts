import { z } from 'zod';

/** An endpoint's name is its model name on the wire and its table's name in `predictions`. */
export const EndpointName = z
  .string()
  .regex(
    /^[a-z][a-z0-9_]{0,62}$/,
    'lowercase letters, digits and _, starting with a letter, at most 63',
  );
