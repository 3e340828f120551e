import {
  getNamedType,
  getNullableType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  isUnionType,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLNamedType,
} from 'graphql/index.js';

/** Texts of arguments and input fields, by `Type.field.argument`, `Type.field`, or the bare name; first found, first taken. */
export type Words = Record<string, unknown>;

/**
 * Asks for everything that is below a type: each composite type in full where it is first met, and its plain fields after that, so that the
 * text stays small and has an end.
 */
export class SchemaWalk {
  constructor(
    private readonly types: Record<string, GraphQLNamedType>,
    private readonly words: Words,
  ) {}

  /** `name(arguments) { … }` for a field of a type. */
  field(parent: string, field: GraphQLField<unknown, unknown>, expanded = new Set<string>(), depth = 0): string {
    const args = this.args(parent, field);
    const type = getNamedType(field.type);
    if (isLeafType(type)) return field.name + args;
    return `${field.name}${args} ${this.selection(type, expanded, depth + 1)}`;
  }

  private selection(type: GraphQLNamedType, expanded: Set<string>, depth: number): string {
    if (isUnionType(type))
      return `{ __typename ${type
        .getTypes()
        .map((each) => `... on ${each.name} ${this.selection(each, expanded, depth)}`)
        .join(' ')} }`;
    if (!isObjectType(type) && !isInterfaceType(type)) return '{ __typename }';
    const isFirst = !expanded.has(type.name) && depth < 14;
    expanded.add(type.name);
    const fields = Object.values(type.getFields());
    const plain = fields.filter((each) => isLeafType(getNamedType(each.type)));
    const deep = isFirst ? fields.filter((each) => !isLeafType(getNamedType(each.type))) : [];
    const parts = [...plain, ...deep].map(
      (each, i) => `${this.alias(type.name, each, i)}${this.field(type.name, each, expanded, depth)}`,
    );
    const kinds =
      isInterfaceType(type) && isFirst
        ? this.implementations(type.name).map((each) => `... on ${each.name} ${this.selection(each, expanded, depth)}`)
        : [];
    return `{ __typename ${[...parts, ...kinds].join(' ')} }`;
  }

  /** Two implementations of an interface may have a field of one name with different arguments or types. */
  private alias(type: string, field: GraphQLField<unknown, unknown>, index: number): string {
    return field.name === 'id' ? '' : `${type}_${index}_${field.name}: `;
  }

  private implementations(name: string): GraphQLNamedType[] {
    return Object.values(this.types).filter(
      (type) => isObjectType(type) && type.getInterfaces().some((each) => each.name === name),
    );
  }

  args(parent: string, field: { name: string; args: readonly GraphQLArgument[] }, over: Words = {}): string {
    const given = field.args.flatMap((arg) => {
      const text = this.value(arg.type, [`${parent}.${field.name}.${arg.name}`, arg.name], over, 0);
      return text === undefined ? [] : [`${arg.name}: ${text}`];
    });
    return given.length === 0 ? '' : `(${given.join(', ')})`;
  }

  /** A value for an argument or input field: from the words, else something plain where one is required. */
  private value(type: GraphQLInputType, names: string[], over: Words, depth: number): string | undefined {
    const named = getNamedType(type);
    const nullable = getNullableType(type);
    const known = [...names.map((name) => over[name]), ...names.map((name) => this.words[name])].find(
      (each) => each !== undefined,
    );
    const fits = isEnumType(named)
      ? typeof known === 'string' && named.getValue(known) !== undefined
      : isLeafType(named);
    if (known !== undefined && fits) {
      const text = typeof known === 'string' && isEnumType(named) ? known : JSON.stringify(known);
      return isListType(nullable) && !Array.isArray(known) ? `[${text}]` : text;
    }
    if (isInputObjectType(named)) {
      if (depth > 4) return isNonNullType(type) ? '{}' : undefined;
      const inner = Object.values(named.getFields()).flatMap((each) => {
        const text = this.value(each.type, [`${named.name}.${each.name}`, each.name], over, depth + 1);
        return text === undefined ? [] : [`${each.name}: ${text}`];
      });
      const text = `{${inner.join(', ')}}`;
      return isListType(nullable) ? `[${text}]` : text;
    }
    if (!isNonNullType(type)) return undefined;
    const plain = isEnumType(named) ? (named.getValues()[0]?.name ?? '') : (plainValues[named.name] ?? '"word"');
    return isListType(nullable) ? `[${plain}]` : plain;
  }
}

const plainValues: Record<string, string> = {
  Int: '1',
  Float: '1',
  Int64: '1',
  Duration: '1',
  Boolean: 'true',
  JSONString: '"{}"',
  JSON: '{}',
  DateTime: '"2030-01-01T00:00:00Z"',
};

/** Every id in an answer, by the type that it is of. */
export function idsIn(answer: unknown, found = new Map<string, Set<string>>()): Map<string, Set<string>> {
  if (Array.isArray(answer)) for (const each of answer) idsIn(each, found);
  else if (typeof answer === 'object' && answer !== null) {
    const { __typename: type, id } = answer as { __typename?: unknown; id?: unknown };
    if (typeof type === 'string' && (typeof id === 'string' || typeof id === 'number'))
      found.set(type, (found.get(type) ?? new Set<string>()).add(String(id)));
    for (const each of Object.values(answer)) idsIn(each, found);
  }
  return found;
}
