import { Kind, type DocumentNode, type GraphQLError } from 'graphql/index.js';
import { countUnanswered, type Unanswered } from '../../store/unanswered.js';
import type { Context } from './context.js';

/**
 * Writes down what a client asked for and this Davit does not know: names of operations, fields, arguments and types, never values. `davit doctor` lists
 * them. Not waited for, and a failure is nobody's trouble but the log's.
 */
export function noteUnanswered(
  context: Context,
  document: DocumentNode,
  operationName: string | null,
  problems: readonly GraphQLError[],
  client: string | undefined,
): void {
  const operation = operationName ?? nameOf(document);
  const asked = problems.flatMap(({ message }): Unanswered[] => {
    const found = unknownThing(message);
    return found ? [{ ...found, operation }] : [];
  });
  if (asked.length === 0) return;
  const unique = [...new Map(asked.map((each) => [`${each.kind} ${each.name}`, each])).values()];
  countUnanswered(context.db, unique, clientOf(client)).catch((error: unknown) => {
    context.log.warn({ err: error }, 'what a client asked for in vain was not noted');
  });
}

function nameOf(document: DocumentNode): string {
  for (const definition of document.definitions)
    if (definition.kind === Kind.OPERATION_DEFINITION) return definition.name?.value ?? '';
  return '';
}

/** The engine's own sentences; GraphQL names have letters, digits and _ only. */
function unknownThing(message: string): Omit<Unanswered, 'operation'> | undefined {
  const name = '([A-Za-z_][A-Za-z0-9_]{0,99})';
  const field = new RegExp(`^Cannot query field "${name}" on type "${name}"`).exec(message);
  if (field) return { kind: 'field', name: `${field[2] ?? ''}.${field[1] ?? ''}` };
  const argument = new RegExp(`^Unknown argument "${name}" on field "${name}\\.${name}"`).exec(message);
  if (argument) return { kind: 'argument', name: `${argument[2] ?? ''}.${argument[3] ?? ''}(${argument[1] ?? ''})` };
  const input = new RegExp(`^Field "${name}" is not defined by type "${name}"`).exec(message);
  if (input) return { kind: 'input field', name: `${input[2] ?? ''}.${input[1] ?? ''}` };
  const type = new RegExp(`^Unknown type "${name}"`).exec(message);
  return type ? { kind: 'type', name: type[1] ?? '' } : undefined;
}

/** `wandb-core` and the like with a version: no free text of others. */
const clientOf = (agent: string | undefined): string => /^[A-Za-z0-9 ._/&-]{1,80}/.exec(agent ?? '')?.[0] ?? '';
