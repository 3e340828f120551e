import { DavitError } from '../../../domain/errors.js';

export const reportResolvers = {
  Project: {
    allViews: () => ({ edges: [], pageInfo: { endCursor: null, hasNextPage: false } }),
  },
  Mutation: {
    upsertView: () => {
      throw new DavitError('invalid-request', 'Davit keeps no reports and no saved workspaces.');
    },
  },
};
