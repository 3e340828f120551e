import { createSchema } from 'graphql-yoga';
import type { Context } from '../context.js';
import { artifactCollectionEditResolvers } from '../resolvers/artifact-collection-edit.js';
import { artifactCollectionResolvers } from '../resolvers/artifact-collection.js';
import { artifactCreateResolvers } from '../resolvers/artifact-create.js';
import { artifactEditResolvers } from '../resolvers/artifact-edit.js';
import { artifactLinkResolvers } from '../resolvers/artifact-link.js';
import { artifactLookupResolvers } from '../resolvers/artifact-lookup.js';
import { artifactUploadResolvers } from '../resolvers/artifact-uploads.js';
import { artifactResolvers } from '../resolvers/artifact.js';
import { fileResolvers } from '../resolvers/files.js';
import { historyResolvers } from '../resolvers/history.js';
import { projectResolvers } from '../resolvers/project.js';
import { registryResolvers } from '../resolvers/registries.js';
import { reportResolvers } from '../resolvers/reports.js';
import { runAlertMutations } from '../resolvers/run-alerts.js';
import { runEndMutations } from '../resolvers/run-ends.js';
import { runInfoResolvers } from '../resolvers/run-info.js';
import { runMutations } from '../resolvers/run-mutations.js';
import { runResolvers } from '../resolvers/run.js';
import { sessionResolvers } from '../resolvers/session.js';
import { sweepMutations } from '../resolvers/sweep-mutations.js';
import { sweepResolvers } from '../resolvers/sweeps.js';
import { teamResolvers } from '../resolvers/teams.js';
import { userResolvers } from '../resolvers/users.js';
import { scalarDefs, scalars } from '../scalars.js';
import { artifactCollectionDefs } from './artifact-collection.js';
import { artifactEditDefs } from './artifact-edit.js';
import { artifactReadDefs } from './artifact-read.js';
import { artifactWriteDefs } from './artifact-write.js';
import { fileDefs } from './files.js';
import { historyDefs } from './history.js';
import { projectDefs } from './project.js';
import { registryDefs } from './registries.js';
import { reportDefs } from './reports.js';
import { runDefs } from './run.js';
import { sessionDefs } from './session.js';
import { sweepDefs } from './sweeps.js';
import { teamDefs } from './teams.js';
import { userDefs } from './users.js';

/** One pair of files per area: what there is (schema/) and how it is answered (resolvers/). */
export const wandbSchema = createSchema<Context>({
  typeDefs: [
    scalarDefs,
    sessionDefs,
    projectDefs,
    runDefs,
    historyDefs,
    fileDefs,
    sweepDefs,
    artifactReadDefs,
    artifactWriteDefs,
    artifactCollectionDefs,
    artifactEditDefs,
    registryDefs,
    userDefs,
    teamDefs,
    reportDefs,
  ],
  resolvers: [
    scalars,
    sessionResolvers,
    projectResolvers,
    runResolvers,
    historyResolvers,
    runMutations,
    runEndMutations,
    runAlertMutations,
    runInfoResolvers,
    fileResolvers,
    sweepResolvers,
    sweepMutations,
    artifactResolvers,
    artifactCreateResolvers,
    artifactUploadResolvers,
    artifactCollectionResolvers,
    artifactLookupResolvers,
    artifactEditResolvers,
    artifactLinkResolvers,
    artifactCollectionEditResolvers,
    registryResolvers,
    userResolvers,
    teamResolvers,
    reportResolvers,
  ],
});
