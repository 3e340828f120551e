// By its file, here and elsewhere: the package exists twice in itself (CommonJS and ES modules), bundlers and test runners pick the other one, and
// the two refuse each other's objects.
import { GraphQLError, GraphQLScalarType, Kind, valueFromASTUntyped } from 'graphql/index.js';

/** A string that holds JSON. What it holds is checked where it is used: most of it is only stored. */
const jsonString = new GraphQLScalarType<string, string>({
  name: 'JSONString',
  description: 'A string that holds JSON text; NaN, Infinity and -Infinity may stand in it as bare words.',
  serialize: (value) => (typeof value === 'string' ? value : JSON.stringify(value)),
  // An object where its text is due can only mean one thing.
  parseValue: (value) => (typeof value === 'string' ? value : JSON.stringify(value)),
  parseLiteral: (node) => (node.kind === Kind.STRING ? node.value : JSON.stringify(valueFromASTUntyped(node) ?? null)),
});

const json = new GraphQLScalarType<unknown, unknown>({
  name: 'JSON',
  description: 'Any JSON value. NaN and the like come as the strings "NaN", "Infinity", "-Infinity".',
  serialize: (value) => value,
  parseValue: (value) => value,
  parseLiteral: (node, variables) => valueFromASTUntyped(node, variables),
});

const wholeNumber = (name: string, description: string) => {
  const parse = (value: unknown): number => {
    const number = typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value;
    if (typeof number !== 'number' || !Number.isSafeInteger(Math.trunc(number)))
      throw new GraphQLError(`${name} cannot represent ${JSON.stringify(value)}.`);
    return Math.trunc(number);
  };
  return new GraphQLScalarType<number, number>({
    name,
    description,
    serialize: parse,
    parseValue: parse,
    parseLiteral: (node) => parse(valueFromASTUntyped(node)),
  });
};

const dateTime = new GraphQLScalarType<string, string>({
  name: 'DateTime',
  description: 'ISO 8601, UTC.',
  serialize: (value) => (value instanceof Date ? value.toISOString() : String(value)),
  parseValue: (value) => String(value),
  parseLiteral: (node) => String(valueFromASTUntyped(node)),
});

export const scalarDefs = /* GraphQL */ `
  scalar JSONString
  scalar JSON
  scalar Int64
  scalar DateTime
  scalar Duration
`;

export const scalars = {
  JSONString: jsonString,
  JSON: json,
  Int64: wholeNumber('Int64', 'A whole number, as a JSON number.'),
  DateTime: dateTime,
  Duration: wholeNumber('Duration', 'Milliseconds.'),
};
