import { z } from 'zod';
import { DavitError } from '../../domain/errors.js';
import { listUnanswered, mostUnanswered } from '../../store/unanswered.js';
import { defineRoute } from './route.js';
import { timeOf, timeSchema } from './schemas.js';

const list = defineRoute({
  method: 'get',
  path: '/unanswered',
  operationId: 'listUnanswered',
  summary: 'What wandb clients asked for and this Davit does not know, the latest first',
  description: 'Names of fields, arguments and types of GraphQL, never values. For site admins.',
  tag: 'audit',
  auth: 'user',
  response: z
    .object({
      items: z.array(
        z
          .object({
            kind: z.string().describe('field, argument, input field or type.'),
            name: z.string(),
            operation: z.string().describe('The operation that it stood in; empty when that had no name.'),
            count: z.int(),
            firstAt: timeSchema,
            lastAt: timeSchema,
            client: z.string().describe('What the client that asked last calls itself.'),
          })
          .meta({ id: 'Unanswered' }),
      ),
    })
    .meta({ id: 'UnansweredList' }),
  handler: async ({ actor, deps }) => {
    if (!actor.isAdmin) throw new DavitError('forbidden', 'Only a site admin sees what clients asked for in vain.');
    const rows = await listUnanswered(deps.db, mostUnanswered);
    return {
      items: rows.map(({ first_at, last_at, ...row }) => ({
        ...row,
        firstAt: timeOf(first_at),
        lastAt: timeOf(last_at),
      })),
    };
  },
});

export const unansweredRoutes = [list];
