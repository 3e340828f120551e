import {
  getNamedType,
  GraphQLError,
  isListType,
  isNonNullType,
  isScalarType,
  NoUnusedFragmentsRule,
  NoUnusedVariablesRule,
  specifiedRules,
  typeFromAST,
  VariablesInAllowedPositionRule,
  type ASTVisitor,
  type GraphQLType,
  type ValidationContext,
  type ValidationRule,
} from 'graphql/index.js';

/**
 * The standard rules, but for three which clients of the field break: wandb-core cuts arguments and fragments out of documents and leaves their variables
 * and leavings behind, and versions disagree on `String`, `String!` and `ID` for one and the same argument.
 */
export const validationRules: readonly ValidationRule[] = [
  ...specifiedRules.filter(
    (rule) =>
      rule !== NoUnusedVariablesRule && rule !== NoUnusedFragmentsRule && rule !== VariablesInAllowedPositionRule,
  ),
  variablesOfRightShape,
];

/**
 * A variable must have the list depth of its place, and its type unless both are scalars. Nullability is left to execution, which refuses a
 * null where one may not be.
 */
function variablesOfRightShape(context: ValidationContext): ASTVisitor {
  return {
    OperationDefinition: {
      leave(operation) {
        const declared = new Map((operation.variableDefinitions ?? []).map((d) => [d.variable.name.value, d]));
        for (const { node, type } of context.getRecursiveVariableUsages(operation)) {
          const definition = declared.get(node.name.value);
          const given = definition && typeFromAST(context.getSchema(), definition.type);
          if (!given || !type || fits(given, type)) continue;
          context.reportError(
            new GraphQLError(
              `Variable "$${node.name.value}" of type "${String(given)}" cannot stand for "${String(type)}".`,
              {
                nodes: [definition, node],
              },
            ),
          );
        }
      },
    },
  };
}

function fits(given: GraphQLType, expected: GraphQLType): boolean {
  if (isNonNullType(given)) return fits(given.ofType, expected);
  if (isNonNullType(expected)) return fits(given, expected.ofType);
  if (isListType(given) || isListType(expected))
    return isListType(given) && isListType(expected) && fits(given.ofType, expected.ofType);
  return given === expected || (isScalarType(getNamedType(given)) && isScalarType(getNamedType(expected)));
}

const unknownThing = /^(Cannot query field "|Unknown argument "|Unknown type "|Field "[^"]*" is not defined by type ")/;

/** Says what is not known here, without guesses at what else could be meant. The beginning is the standard one, which older clients look for. */
export function explained(message: string): string {
  if (!unknownThing.test(message)) return message;
  return `${message.replace(/ Did you mean .*$/s, '')} This Davit does not know it yet.`;
}
