/**
 * The part of DynamoDB's condition expressions that the store uses: `attribute_exists`, `attribute_not_exists`, comparisons, AND, OR,
 * parentheses. Anything else is an error and never `true`. test/conformance compares the results with DynamoDB.
 */

import type { Item, Write } from '../../functions/adapters/dynamodb/table.ts';

type Value = Item[string];
/** Evaluates a condition of a write. A placeholder may refer to a value that the write sets. */
export type Condition = (item: Item | undefined, write: Placeholders) => boolean;
type Placeholders = Pick<Write, 'set' | 'values' | 'names'>;
type Operand = (item: Item | undefined, write: Placeholders) => Value | undefined;

const known = new Map<string, Condition>();

/** @throws Error for an expression that is not supported */
export function conditionOf(expression: string): Condition {
  let condition = known.get(expression);
  if (!condition) {
    condition = parsed(expression);
    known.set(expression, condition);
  }
  return condition;
}

function parsed(expression: string): Condition {
  const tokens = expression.match(/[#:]?[A-Za-z_]\w*|<>|<=|>=|[()=<>]|\S/g) ?? [];
  let at = 0;
  const unexpected = (): never => {
    throw new Error(`The simulated table does not support ${tokens[at] ?? 'the end'} in: ${expression}`);
  };
  const take = (token: string) => (tokens[at] === token ? tokens[at++] : undefined);
  const expect = (token: string) => take(token) ?? unexpected();

  const operand = (): Operand => {
    const token = tokens[at++] ?? unexpected();
    if (token.startsWith(':')) {
      const attribute = token.slice(1);
      return (_item, { values, set }) => {
        const value = values?.[token] ?? set[attribute];
        if (!value) throw new Error(`The value ${token} is missing in: ${expression}`);
        return value;
      };
    }
    const attribute = token.startsWith('#') ? token.slice(1) : token;
    if (!/^[A-Za-z_]/.test(attribute)) unexpected();
    return (item, { names }) => item?.[names?.[token] ?? attribute];
  };
  const comparison = (): Condition => {
    if (take('(')) {
      const inner = either();
      expect(')');
      return inner;
    }
    const exists = take('attribute_exists');
    if (exists || take('attribute_not_exists')) {
      expect('(');
      const path = operand();
      expect(')');
      return (item, write) => (path(item, write) !== undefined) === (exists !== undefined);
    }
    const left = operand();
    const sign = tokens[at++] ?? unexpected();
    const compare = comparisons[sign] ?? unexpected();
    const right = operand();
    return (item, write) => compare(left(item, write), right(item, write));
  };
  const both = (): Condition => {
    const first = comparison();
    if (!take('AND')) return first;
    const rest = both();
    return (item, write) => first(item, write) && rest(item, write);
  };
  const either = (): Condition => {
    const first = both();
    if (!take('OR')) return first;
    const rest = either();
    return (item, write) => first(item, write) || rest(item, write);
  };

  const condition = either();
  if (at < tokens.length) unexpected();
  return condition;
}

/** A missing attribute equals nothing, differs from everything, and is neither smaller nor larger. */
const comparisons: Record<string, (left: Value | undefined, right: Value | undefined) => boolean> = {
  '=': equal,
  '<>': (left, right) => !equal(left, right),
  '<': (left, right) => left !== undefined && right !== undefined && order(left, right) < 0,
};

function equal(left: Value | undefined, right: Value | undefined): boolean {
  if (left === undefined || right === undefined) return false;
  if (left.N !== undefined || right.N !== undefined) return left.N !== undefined && Number(left.N) === Number(right.N);
  if (left.S !== undefined || right.S !== undefined) return left.S === right.S;
  if (left.M === undefined || right.M === undefined) throw new Error('Only numbers, texts and maps can be compared');
  const [one, other] = [left.M, right.M];
  const fields = Object.keys(one);
  return fields.length === Object.keys(other).length && fields.every((field) => equal(one[field], other[field]));
}

function order(left: Value, right: Value): number {
  if (left.N !== undefined && right.N !== undefined) return Number(left.N) - Number(right.N);
  throw new Error('Only numbers can be put in order');
}
