import { defaultFieldResolver, type GraphQLFieldResolver } from 'graphql/index.js';

/**
 * Resolvers of a type whose values come from several places: those that these resolvers know (they have `marker`) are answered by them, all
 * others answer for themselves, with properties and functions of the fields' names.
 */
export function ownFields<Parent extends object, Context, Args>(
  marker: keyof Parent & string,
  resolvers: Record<string, (parent: Parent, args: Args, context: Context) => unknown>,
): Record<string, GraphQLFieldResolver<object, Context>> {
  return Object.fromEntries(
    Object.entries(resolvers).map(([field, resolve]): [string, GraphQLFieldResolver<object, Context>] => [
      field,
      (parent, args, context, info): unknown =>
        marker in parent
          ? resolve(parent as Parent, args as Args, context)
          : defaultFieldResolver(parent, args, context, info),
    ]),
  );
}
