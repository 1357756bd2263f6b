import { nearestName } from '../../base/nearest-name.ts';
import { ExpressionError, type Expression, type Literal, type Scope } from './expression.ts';
import { tokenize, type Token } from './tokens.ts';
import {
  arithmetic,
  castTo,
  choice,
  comparison,
  functionCall,
  isComparison,
  isNull,
  logic,
  membership,
  negated,
  type Operand,
} from './typed-call.ts';

const KEYWORDS = 'and or not is in null true false case when then else end as'.split(' ');

/** Deeper nesting is no definition a person reads; DuckDB refuses SQL past a thousand levels. */
const DEPTH_MAX = 64;

const LONG_MAX = 2n ** 63n - 1n;

/**
 * Parses and types an expression. Column names are exact, keywords and functions ignore case; a
 * column whose name is no identifier is written `"in quotes"`. Throws `ExpressionError`.
 */
export function parseExpression(text: string, scope: Scope): Expression {
  const parser = new Parser(tokenize(text), scope);
  return parser.whole();
}

class Parser {
  readonly #tokens: readonly Token[];
  readonly #scope: Scope;
  #next = 0;
  #depth = 0;

  constructor(tokens: readonly Token[], scope: Scope) {
    this.#tokens = tokens;
    this.#scope = scope;
  }

  whole(): Expression {
    const operand = this.#or();
    const token = this.#peek();
    if (token.kind !== 'end') throw this.#unexpected();
    if (operand === null) throw new ExpressionError('a bare null has no type', 0);
    if (operand.type === 'local') {
      throw new ExpressionError('a local time is no value: take its hour or weekday', 0);
    }
    if (depthOf(operand) > DEPTH_MAX) throw tooDeep(0);
    return operand;
  }

  #or(): Operand {
    this.#depth += 1;
    if (this.#depth > DEPTH_MAX) throw tooDeep(this.#peek().position);
    let left = this.#and();
    for (let at = this.#takeWord('or'); at !== null; at = this.#takeWord('or')) {
      left = logic('or', [left, this.#and()], at);
    }
    this.#depth -= 1;
    return left;
  }

  #and(): Operand {
    let left = this.#not();
    for (let at = this.#takeWord('and'); at !== null; at = this.#takeWord('and')) {
      left = logic('and', [left, this.#not()], at);
    }
    return left;
  }

  #not(): Operand {
    const places: number[] = [];
    for (let at = this.#takeWord('not'); at !== null; at = this.#takeWord('not')) places.push(at);
    let operand = this.#compared();
    for (const at of places.toReversed()) operand = logic('not', [operand], at);
    return operand;
  }

  /** A comparison does not associate: `1 < 2 < 3` is refused. */
  #compared(): Operand {
    const left = this.#sum();
    const { text, position, kind } = this.#peek();
    if (kind === 'sign' && isComparison(text)) {
      this.#next += 1;
      return comparison(text, [left, this.#sum()], position);
    }
    if (this.#takeWord('is') !== null) {
      const isNegated = this.#takeWord('not') !== null;
      this.#expectWord('null');
      const test = isNull(left, position);
      return isNegated ? logic('not', [test], position) : test;
    }
    if (this.#isWord('not') && this.#isWord('in', 1)) {
      this.#next += 1;
      return logic('not', [this.#memberOf(left)], position);
    }
    return this.#isWord('in') ? this.#memberOf(left) : left;
  }

  #memberOf(left: Operand): Operand {
    const { position } = this.#peek();
    this.#expectWord('in');
    this.#expectSign('(');
    return membership([left, ...this.#list()], position);
  }

  #sum(): Operand {
    let left = this.#product();
    for (let sign = this.#takeSign('+', '-'); sign !== null; sign = this.#takeSign('+', '-')) {
      left = arithmetic(sign.text, [left, this.#product()], sign.position);
    }
    return left;
  }

  #product(): Operand {
    let left = this.#signed();
    for (;;) {
      const sign = this.#takeSign('*', '/', '%');
      if (sign === null) return left;
      left = arithmetic(sign.text, [left, this.#signed()], sign.position);
    }
  }

  #signed(): Operand {
    const minus: Token[] = [];
    for (let sign = this.#takeSign('-'); sign !== null; sign = this.#takeSign('-')) {
      minus.push(sign);
    }
    // The least integer has no positive counterpart, so its sign belongs to the literal.
    const isLiteral = minus.length > 0 && this.#peek().kind === 'number';
    if (isLiteral) minus.pop();
    let operand: Operand = isLiteral ? this.#number(true) : this.#primary();
    for (const { position } of minus) operand = negated(operand, position);
    return operand;
  }

  #primary(): Operand {
    const token = this.#peek();
    if (token.kind === 'number') return this.#number(false);
    if (this.#takeSign('(') !== null) {
      const inner = this.#or();
      this.#expectSign(')');
      return inner;
    }
    if (token.kind === 'string') {
      this.#next += 1;
      return { kind: 'literal', type: 'string', value: token.text };
    }
    if (token.kind === 'quoted') {
      this.#next += 1;
      return this.#column(token);
    }
    if (token.kind === 'name') return this.#named(token);
    throw this.#unexpected();
  }

  #named(token: Token): Operand {
    const word = token.text.toLowerCase();
    const follower = this.#tokens[this.#next + 1];
    if (follower?.text === '(' && follower.kind === 'sign' && !KEYWORDS.includes(word)) {
      this.#next += 2;
      if (word === 'cast') return this.#cast(token);
      if (word === 'local') return this.#local(token);
      return functionCall(token.text, this.#list(), token.position);
    }
    if (word === 'case') return this.#case();
    if (KEYWORDS.includes(word) && !['null', 'true', 'false'].includes(word)) {
      throw this.#unexpected();
    }
    this.#next += 1;
    if (word === 'null') return null;
    if (word === 'true' || word === 'false') {
      return { kind: 'literal', type: 'boolean', value: word === 'true' };
    }
    return this.#column(token);
  }

  #column({ text, position }: Token): Expression {
    const { columns } = this.#scope;
    const type = Object.hasOwn(columns, text) ? columns[text] : undefined;
    if (type !== undefined) return { kind: 'column', type, name: text };
    const near = nearestName(text, Object.keys(columns));
    const hint =
      near === null
        ? `Columns: ${Object.keys(columns).slice(0, 20).join(', ')}.`
        : `Meant: ${near}?`;
    throw new ExpressionError(`there is no column ${text}`, position, hint);
  }

  /** Behind `cast(`. */
  #cast({ position }: Token): Operand {
    const operand = this.#or();
    this.#expectWord('as');
    const target = this.#peek();
    if (target.kind !== 'name') throw this.#unexpected();
    this.#next += 1;
    this.#expectSign(')');
    return castTo(operand, target.text, position);
  }

  /** Behind `local(`: a time, and the name of an entity. */
  #local({ position }: Token): Operand {
    const time = this.#or();
    if (time?.type !== 'timestamp') {
      throw new ExpressionError('local takes a timestamp and an entity', position);
    }
    this.#expectSign(',');
    const { text: entity, kind, position: at } = this.#peek();
    if (kind !== 'name' && kind !== 'quoted') throw this.#unexpected();
    this.#next += 1;
    this.#expectSign(')');
    const zoned = this.#scope.zoned;
    const found = Object.hasOwn(zoned, entity) ? zoned[entity] : undefined;
    if (found === undefined) {
      const near = nearestName(entity, Object.keys(zoned));
      const hint = near === null ? 'Declare time_zone at the entity.' : `Meant: ${near}?`;
      throw new ExpressionError(`no time zone is known of an entity ${entity}`, at, hint);
    }
    return { kind: 'local', type: 'local', time, entity, key: found.key };
  }

  /** `case when c then v`, or `case x when v then w`, which stands for `when x = v`. */
  #case(): Operand {
    const { position } = this.#peek();
    this.#next += 1;
    const subject = this.#isWord('when') ? undefined : this.#or();
    const branches: [Operand, Operand][] = [];
    for (let at = this.#takeWord('when'); at !== null; at = this.#takeWord('when')) {
      const tested = this.#or();
      this.#expectWord('then');
      const condition = subject === undefined ? tested : comparison('=', [subject, tested], at);
      branches.push([condition, this.#or()]);
    }
    if (branches.length === 0) throw this.#unexpected();
    const otherwise = this.#takeWord('else') === null ? null : this.#or();
    this.#expectWord('end');
    return choice(branches, otherwise, position);
  }

  #number(isNegative: boolean): Literal {
    const { text, position } = this.#peek();
    this.#next += 1;
    if (/^\d+$/.test(text)) {
      const value = isNegative ? -BigInt(text) : BigInt(text);
      if (value > LONG_MAX || value < -LONG_MAX - 1n) {
        throw new ExpressionError(`${text} does not fit 64 bits`, position);
      }
      return { kind: 'literal', type: 'long', value: String(value) };
    }
    const value = isNegative ? -Number(text) : Number(text);
    if (!Number.isFinite(value)) throw new ExpressionError(`${text} is too large`, position);
    return { kind: 'literal', type: 'double', value };
  }

  /** Behind an opening bracket, to the closing one. */
  #list(): Operand[] {
    if (this.#takeSign(')') !== null) return [];
    const found = [this.#or()];
    while (this.#takeSign(',') !== null) found.push(this.#or());
    this.#expectSign(')');
    return found;
  }

  #peek(): Token {
    return this.#tokens[this.#next]!;
  }

  #isWord(word: string, ahead = 0): boolean {
    const token = this.#tokens[this.#next + ahead];
    return token?.kind === 'name' && token.text.toLowerCase() === word;
  }

  /** Its position when it comes next. */
  #takeWord(word: string): number | null {
    if (!this.#isWord(word)) return null;
    this.#next += 1;
    return this.#tokens[this.#next - 1]!.position;
  }

  #expectWord(word: string): void {
    if (this.#takeWord(word) === null) throw this.#unexpected(word);
  }

  #takeSign(...signs: readonly string[]): Token | null {
    const token = this.#peek();
    if (token.kind !== 'sign' || !signs.includes(token.text)) return null;
    this.#next += 1;
    return token;
  }

  #expectSign(sign: string): void {
    if (this.#takeSign(sign) === null) throw this.#unexpected(sign);
  }

  #unexpected(wanted?: string): ExpressionError {
    const { kind, text, position } = this.#peek();
    const found = kind === 'end' ? 'the expression ends' : `${text} stands`;
    const what = wanted === undefined ? 'a value was expected' : `${wanted} was expected`;
    return new ExpressionError(`${found} where ${what}`, position);
  }
}

function depthOf(expression: Expression): number {
  if (expression.kind === 'local') return 1 + depthOf(expression.time);
  if (expression.kind !== 'call') return 1;
  return 1 + Math.max(...expression.args.map(depthOf));
}

function tooDeep(position: number): ExpressionError {
  return new ExpressionError(`nested more than ${DEPTH_MAX} levels deep`, position);
}
