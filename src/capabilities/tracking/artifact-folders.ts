/** Snapshots of what registered versions were made of; only the registry writes there. */
export const REGISTERED_FOLDER = 'registered-models';
