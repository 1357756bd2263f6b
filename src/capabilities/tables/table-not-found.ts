import { AppError } from '../../base/errors.ts';
import type { TableRef } from './delta-tables.ts';

export function tableNotFound({ namespace, name }: TableRef): AppError {
  return new AppError('TABLE_NOT_FOUND', `There is no table ${namespace}.${name}.`, {
    hint: 'See them with: millwright tables ls, or make one: millwright tables create',
  });
}
