import { parseIdentifier, type Entity, type SearchSpec } from './filter.ts';
import { invalid } from './names.ts';

export interface Order {
  readonly entity: Entity;
  readonly key: string;
  readonly isAscending: boolean;
}

/** More columns than a person sorts by. */
const ORDERS_MAX = 10;

/** `<identifier> [ASC|DESC]` each; ascending unless stated. */
export function parseOrderBy(orderBy: readonly string[], spec: SearchSpec): readonly Order[] {
  if (orderBy.length > ORDERS_MAX) throw invalid(`Order by at most ${ORDERS_MAX} fields.`);
  const orders = orderBy.map((text) => parseOrder(text, spec));
  const seen = new Set<string>();
  for (const { entity, key } of orders) {
    const name = `${entity}.${key}`;
    if (seen.has(name)) throw invalid(`\`order_by\` contains duplicate fields: ${orderBy.join()}`);
    seen.add(name);
  }
  return orders;
}

function parseOrder(text: string, spec: SearchSpec): Order {
  const match = /^(.*?)(?:\s+(asc|desc))?\s*$/is.exec(text.trim());
  const [, identifier = '', direction = 'asc'] = match ?? [];
  if (identifier === '') throw invalid(`Invalid order_by clause '${text.slice(0, 100)}'.`);
  const { entity, key } = parseIdentifier(identifier, spec);
  return { entity, key, isAscending: direction.toLowerCase() === 'asc' };
}
