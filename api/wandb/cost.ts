import {
  getNullableType,
  isListType,
  Kind,
  OperationTypeNode,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  isObjectType,
  isInterfaceType,
  type GraphQLNamedType,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql/index.js';

/**
 * What a document may ask for. Short texts can ask for very much: a page of a thousand inside of a page of a thousand, or fragments that each spread the one
 * before twice. So two bounds are kept before anything is validated or run: on what the text becomes when it is written out, and on how many
 * fields its answer may have.
 */
export const costLimits = {
  /** The largest document of a real client has about 2,000 of them. */
  tokens: 20_000,
  depth: 25,
  /** Fields with fragments written out, pages counted once. */
  fields: 10_000,
  /** Fields times the sizes of the pages around them. The largest of a real client is about 45,000: a page of 1,000 full runs. */
  answers: 500_000,
  /** Root fields of a mutation: each is a transaction. */
  mutations: 20,
};

/** A page whose size nobody named; the default of most connections. */
const defaultPage = 50;
const longestPage = 5_000;

/** A sentence that says what is too much, or undefined. Linear in the size of the document, whatever its fragments do. */
export function costProblem(
  schema: GraphQLSchema,
  document: DocumentNode,
  operationName: string | null,
  variables: Record<string, unknown>,
): string | undefined {
  const operations = document.definitions.filter(
    (d): d is OperationDefinitionNode => d.kind === Kind.OPERATION_DEFINITION,
  );
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions)
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  if (operations.length > 10) return 'A document has at most 10 operations.';
  const operation =
    operationName === null ? operations[0] : operations.find((each) => each.name?.value === operationName);
  if (!operation) return undefined;

  const counter = new Counter(schema, fragments, defaultsOf(operation, variables));
  const root = schema.getRootType(operation.operation);
  if (!root) return undefined;
  // Written out first: it also finds fragments that contain themselves, which the other count could not end on.
  const size = counter.size(operation.selectionSet, 0);
  if (typeof size === 'string') return size;
  if (size > costLimits.fields)
    return `This document asks for ${size} fields when its fragments are written out; at most ${costLimits.fields} are answered.`;
  if (
    operation.operation === OperationTypeNode.MUTATION &&
    counter.rootFields(operation.selectionSet) > costLimits.mutations
  )
    return `A document changes at most ${costLimits.mutations} things.`;
  const answers = counter.answers(operation.selectionSet, root);
  if (answers > costLimits.answers)
    return `This document may ask for ${answers > 1e15 ? 'countless' : Math.round(answers)} values; at most ${costLimits.answers} are answered at once. Ask for smaller pages ("first"), or fewer at a time.`;
  return undefined;
}

function defaultsOf(operation: OperationDefinitionNode, variables: Record<string, unknown>): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const { variable, defaultValue } of operation.variableDefinitions ?? [])
    if (defaultValue?.kind === Kind.INT) values[variable.name.value] = Number(defaultValue.value);
  return { ...values, ...Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== undefined)) };
}

/** How often a name may stand in one selection. */
const repeatsMax = 100;
const tooOften = `A selection names a field or fragment at most ${repeatsMax} times.`;

function repeat(counts: Map<string, number>, name: string): boolean {
  const count = (counts.get(name) ?? 0) + 1;
  counts.set(name, count);
  return count > repeatsMax;
}

/** Lists of the schema about itself, as long as they usually are: clients up to 0.25 ask for all of it. */
const introspection: Record<string, number> = {
  types: 300,
  fields: 8,
  args: 2,
  inputFields: 5,
  enumValues: 5,
  possibleTypes: 3,
  interfaces: 1,
};

/** Lists without selections below them. */
const seriesFields = new Set(['history', 'events', 'sampledHistory']);

class Counter {
  private readonly sizes = new Map<string, number | string>();
  private readonly open = new Set<string>();
  private readonly counted = new Map<string, number>();

  constructor(
    private readonly schema: GraphQLSchema,
    private readonly fragments: Map<string, FragmentDefinitionNode>,
    private readonly variables: Record<string, unknown>,
  ) {}

  /** Fields of a selection with its fragments written out; each fragment is counted once and remembered. */
  size(set: SelectionSetNode, depth: number): number | string {
    if (depth > costLimits.depth) return `A document is at most ${costLimits.depth} levels deep.`;
    let sum = 0;
    const repeats = new Map<string, number>();
    for (const selection of set.selections) {
      let inner: number | string = 0;
      switch (selection.kind) {
        case Kind.FIELD:
          sum++;
          // Validation compares fields of one name with each other, every two of them.
          if (repeat(repeats, (selection.alias ?? selection.name).value)) return tooOften;
          if (selection.selectionSet) inner = this.size(selection.selectionSet, depth + 1);
          break;
        case Kind.INLINE_FRAGMENT:
          inner = this.size(selection.selectionSet, depth + 1);
          break;
        case Kind.FRAGMENT_SPREAD:
          if (repeat(repeats, `...${selection.name.value}`)) return tooOften;
          inner = this.fragmentSize(selection.name.value);
          break;
      }
      if (typeof inner === 'string') return inner;
      sum += inner;
    }
    return sum;
  }

  private fragmentSize(name: string): number | string {
    const known = this.sizes.get(name);
    if (known !== undefined) return known;
    const fragment = this.fragments.get(name);
    // Validation says that it is not there.
    if (!fragment) return 0;
    if (this.open.size > costLimits.depth) return `A document is at most ${costLimits.depth} levels deep.`;
    if (this.open.has(name)) return `The fragment "${name}" contains itself.`;
    this.open.add(name);
    const size = this.size(fragment.selectionSet, 0);
    this.open.delete(name);
    this.sizes.set(name, size);
    return size;
  }

  rootFields(set: SelectionSetNode): number {
    let sum = 0;
    for (const selection of set.selections) {
      if (selection.kind === Kind.FIELD) sum++;
      else if (selection.kind === Kind.INLINE_FRAGMENT) sum += this.rootFields(selection.selectionSet);
      else sum += Number(this.fragmentSize(selection.name.value)) || 0;
    }
    return sum;
  }

  answers(set: SelectionSetNode, type: GraphQLNamedType | undefined, page = 1): number {
    let sum = 0;
    for (const selection of set.selections) {
      switch (selection.kind) {
        case Kind.FIELD:
          sum += this.fieldAnswers(selection, type, page);
          break;
        case Kind.INLINE_FRAGMENT: {
          const on = selection.typeCondition && this.schema.getType(selection.typeCondition.name.value);
          sum += this.answers(selection.selectionSet, on ?? type, page);
          break;
        }
        case Kind.FRAGMENT_SPREAD:
          sum += this.fragmentAnswers(selection.name.value, page);
          break;
      }
    }
    return sum;
  }

  private fragmentAnswers(name: string, page: number): number {
    const key = `${name} ${page}`;
    const known = this.counted.get(key);
    if (known !== undefined) return known;
    const fragment = this.fragments.get(name);
    const sum = fragment
      ? this.answers(fragment.selectionSet, this.schema.getType(fragment.typeCondition.name.value), page)
      : 0;
    this.counted.set(key, sum);
    return sum;
  }

  private fieldAnswers(field: FieldNode, parent: GraphQLNamedType | undefined, page: number): number {
    const definition =
      parent && (isObjectType(parent) || isInterfaceType(parent)) ? parent.getFields()[field.name.value] : undefined;
    if (!definition) return 1;
    if (!field.selectionSet) return seriesFields.has(field.name.value) ? this.seriesOf(field) : 1;
    const type = getNamedType(definition.type);
    if (
      isPaged(
        definition.args.map(({ name }) => name),
        type,
      )
    ) {
      // The size belongs to the edges below; the connection itself is one.
      return 1 + this.answers(field.selectionSet, type, this.pageOf(field));
    }
    if (!isList(definition.type)) return 1 + this.answers(field.selectionSet, type, page);
    const times = introspection[field.name.value] ?? page;
    // What lies below an edge is no page any more.
    return times * (1 + this.answers(field.selectionSet, type, 1));
  }

  /** A list of plain values, as a tenth of what it may hold: they come from one read. */
  private seriesOf(field: FieldNode): number {
    const argument = field.arguments?.find(({ name }) => name.value === 'samples')?.value;
    const given =
      argument?.kind === Kind.INT
        ? Number(argument.value)
        : argument?.kind === Kind.VARIABLE
          ? this.variables[argument.name.value]
          : undefined;
    return 1 + Math.min(typeof given === 'number' && given > 0 ? given : 500, 100_000) / 10;
  }

  /** Size of the page that the field's arguments ask for. */
  private pageOf(field: FieldNode): number {
    for (const { name, value } of field.arguments ?? []) {
      if (name.value !== 'first' && name.value !== 'last') continue;
      const given =
        value.kind === Kind.INT
          ? Number(value.value)
          : value.kind === Kind.VARIABLE
            ? this.variables[value.name.value]
            : undefined;
      if (typeof given === 'number' && given > 0) return Math.min(given, longestPage);
    }
    return defaultPage;
  }
}

const isList = (type: GraphQLOutputType): boolean => isListType(getNullableType(type));
const isPaged = (args: string[], type: GraphQLNamedType): boolean =>
  args.includes('first') || type.name.endsWith('Connection');
