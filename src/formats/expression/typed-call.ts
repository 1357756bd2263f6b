import { nearestName } from '../../base/nearest-name.ts';
import {
  ExpressionError,
  TYPE_NAME,
  type Call,
  type Expression,
  type FunctionName,
  type Operation,
  type ValueType,
} from './expression.ts';

/** An operand while its type may still be open: a bare `null` takes the type of its neighbours. */
export type Operand = Expression | null;

interface Signature {
  readonly args: readonly [min: number, max: number];
  readonly check: (name: FunctionName, args: readonly Operand[], position: number) => Call;
}

const MANY = 100;
const NUMBERS: readonly ValueType[] = ['long', 'double'];
const ORDERED: readonly ValueType[] = ['long', 'double', 'string', 'timestamp'];
const EQUATABLE: readonly ValueType[] = [...ORDERED, 'boolean'];

const FUNCTIONS: Readonly<Record<FunctionName, Signature>> = {
  coalesce: { args: [1, MANY], check: same(EQUATABLE) },
  nullif: { args: [2, 2], check: same(EQUATABLE) },
  least: { args: [2, MANY], check: same(ORDERED) },
  greatest: { args: [2, MANY], check: same(ORDERED) },
  clamp: { args: [3, 3], check: same(NUMBERS) },
  abs: { args: [1, 1], check: same(NUMBERS) },
  floor: { args: [1, 1], check: fixed('double', 'double') },
  ceil: { args: [1, 1], check: fixed('double', 'double') },
  round: { args: [1, 1], check: fixed('double', 'double') },
  ln: { args: [1, 1], check: fixed('double', 'double') },
  exp: { args: [1, 1], check: fixed('double', 'double') },
  sqrt: { args: [1, 1], check: fixed('double', 'double') },
  lower: { args: [1, 1], check: fixed('string', 'string') },
  upper: { args: [1, 1], check: fixed('string', 'string') },
  length: { args: [1, 1], check: fixed('string', 'long') },
  hour: { args: [1, 1], check: ofTime },
  weekday: { args: [1, 1], check: ofTime },
};

/** A function by name, case ignored, with its arguments brought to the types it takes. */
export function functionCall(name: string, args: readonly Operand[], position: number): Call {
  const known = Object.keys(FUNCTIONS) as FunctionName[];
  const found = known.find((candidate) => candidate === name.toLowerCase());
  if (found === undefined) {
    const near = nearestName(name, [...known, 'cast', 'local']);
    const hint = near === null ? `Functions: ${known.join(', ')}, cast, local.` : `Meant: ${near}?`;
    throw new ExpressionError(`there is no function ${name}`, position, hint);
  }
  const { args: allowed, check } = FUNCTIONS[found];
  const [min, max] = allowed;
  if (args.length < min || args.length > max) {
    const takes = min === max ? `${min}` : max === MANY ? `at least ${min}` : `${min} to ${max}`;
    const given = `${found} takes ${takes} argument${takes === '1' ? '' : 's'}, not ${args.length}`;
    throw new ExpressionError(given, position);
  }
  return check(found, args, position);
}

function same(types: readonly ValueType[]): Signature['check'] {
  return (name, args, position) => {
    const { type, operands } = unify(args, { types, position, what: name });
    return { kind: 'call', type, operation: name, args: operands };
  };
}

function fixed(from: ValueType, to: ValueType): Signature['check'] {
  return (name, [arg], position) => {
    const operand = coerce(arg!, from, { what: name, position });
    return { kind: 'call', type: to, operation: name, args: [operand] };
  };
}

function ofTime(name: FunctionName, [arg]: readonly Operand[], position: number): Call {
  const isLocal = arg?.type === 'local';
  const operand = isLocal ? arg : coerce(arg!, 'timestamp', { what: name, position });
  return { kind: 'call', type: 'long', operation: name, args: [operand] };
}

const ARITHMETIC: Readonly<Record<string, Operation>> = {
  '+': 'add',
  '-': 'subtract',
  '*': 'multiply',
  '/': 'divide',
  '%': 'modulo',
};

const COMPARISONS: Readonly<Record<string, Operation>> = {
  '=': 'equal',
  '<>': 'unequal',
  '!=': 'unequal',
  '<': 'less',
  '<=': 'less_or_equal',
  '>': 'greater',
  '>=': 'greater_or_equal',
};

export function isComparison(sign: string): boolean {
  return Object.hasOwn(COMPARISONS, sign);
}

export function arithmetic(sign: string, sides: readonly Operand[], position: number): Call {
  const operation = ARITHMETIC[sign]!;
  if (sign === '/') {
    const args = sides.map((side) => coerce(side, 'double', { what: sign, position }));
    return { kind: 'call', type: 'double', operation, args };
  }
  const { type, operands } = unify(sides, { types: NUMBERS, position, what: sign });
  return { kind: 'call', type, operation, args: operands };
}

export function negated(operand: Operand, position: number): Call {
  const { type, operands } = unify([operand], { types: NUMBERS, position, what: '-' });
  return { kind: 'call', type, operation: 'negate', args: operands };
}

export function comparison(sign: string, sides: readonly Operand[], position: number): Call {
  const operation = COMPARISONS[sign]!;
  const types = operation === 'equal' || operation === 'unequal' ? EQUATABLE : ORDERED;
  const { operands } = unify(sides, { types, position, what: sign });
  return { kind: 'call', type: 'boolean', operation, args: operands };
}

/** The value sought comes first. */
export function membership(sought: readonly Operand[], position: number): Call {
  if (sought.length < 2) throw new ExpressionError('in takes at least one value', position);
  const { operands } = unify(sought, { types: EQUATABLE, position, what: 'in' });
  return { kind: 'call', type: 'boolean', operation: 'in', args: operands };
}

export function logic(
  operation: 'and' | 'or' | 'not',
  sides: readonly Operand[],
  position: number,
): Call {
  const args = sides.map((side) => coerce(side, 'boolean', { what: operation, position }));
  return { kind: 'call', type: 'boolean', operation, args };
}

export function isNull(operand: Operand, position: number): Call {
  const { operands } = unify([operand], { types: EQUATABLE, position, what: 'is null' });
  return { kind: 'call', type: 'boolean', operation: 'is_null', args: operands };
}

/** `branches` are condition and value each. */
export function choice(
  branches: readonly (readonly [Operand, Operand])[],
  otherwise: Operand,
  position: number,
): Call {
  const values = [...branches.map(([, value]) => value), otherwise];
  const { type, operands } = unify(values, { types: EQUATABLE, position, what: 'case' });
  const args = branches.flatMap(([condition], index) => [
    coerce(condition, 'boolean', { what: 'when', position }),
    operands[index]!,
  ]);
  return { kind: 'call', type, operation: 'case', args: [...args, operands.at(-1)!] };
}

/** Spelled as the types of columns are. */
const CAST_TARGETS: Readonly<Record<string, ValueType>> = {
  double: 'double',
  int64: 'long',
  string: 'string',
  boolean: 'boolean',
};

const CASTS: Readonly<Record<string, readonly ValueType[]>> = {
  double: ['double', 'long', 'boolean', 'string'],
  long: ['long', 'double', 'boolean', 'string'],
  string: ['string', 'long', 'boolean'],
  boolean: ['boolean', 'long', 'double'],
};

export function castTo(operand: Operand, target: string, position: number): Expression {
  const type = CAST_TARGETS[target.toLowerCase()];
  if (type === undefined) {
    const hint = `Types to cast to: ${Object.keys(CAST_TARGETS).join(', ')}.`;
    throw new ExpressionError(`${target} is no type to cast to`, position, hint);
  }
  if (operand === null) return { kind: 'literal', type, value: null };
  if (operand.type === type) return operand;
  if (!CASTS[type]!.includes(operand.type)) {
    const from = TYPE_NAME[operand.type];
    throw new ExpressionError(`a ${from} cannot be cast to ${TYPE_NAME[type]}`, position);
  }
  return { kind: 'call', type, operation: 'cast', args: [operand] };
}

interface Place {
  /** The operator or function, for messages. */
  readonly what: string;
  readonly position: number;
}

/** The operand as the type: a null gets it, a `long` becomes a `double`, nothing else changes. */
function coerce(operand: Operand, type: ValueType, { what, position }: Place): Expression {
  if (operand === null) return { kind: 'literal', type, value: null };
  if (operand.type === type) return operand;
  if (operand.type === 'long' && type === 'double') {
    return { kind: 'call', type, operation: 'cast', args: [operand] };
  }
  const hint =
    type === 'double' && operand.type === 'boolean' ? 'Write cast(... as double).' : undefined;
  const wrong = `${what} takes a ${TYPE_NAME[type]}, not a ${TYPE_NAME[operand.type]}`;
  throw new ExpressionError(wrong, position, hint);
}

/** Operands brought to one type, which must be among `types`. */
function unify(
  operands: readonly Operand[],
  { types, what, position }: Place & { readonly types: readonly ValueType[] },
): { readonly type: ValueType; readonly operands: readonly Expression[] } {
  const found = operands.flatMap((operand) => (operand === null ? [] : [operand.type]));
  const type = found.includes('double') ? 'double' : (found[0] ?? types[0]!);
  if (!types.includes(type)) {
    throw new ExpressionError(`${what} does not take a ${TYPE_NAME[type]}`, position);
  }
  return { type, operands: operands.map((one) => coerce(one, type, { what, position })) };
}
