// Made by `npm run openapi` from the routes of the API; do not edit.

export interface paths {
    "/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** This document */
        get: operations["getOpenApi"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/viewer": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who this key belongs to */
        get: operations["getViewer"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/users": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Make a user, its entity and its first key
         * @description Site admins only. The key is in this answer and nowhere else.
         */
        post: operations["createUser"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/entities": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Users and teams that this key may see */
        get: operations["listEntities"];
        put?: never;
        /** Make a team; its maker is its first admin */
        post: operations["createTeam"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/entities/{entity}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One user or team */
        get: operations["getEntity"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/entities/{entity}/members": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Members of a team */
        get: operations["listMembers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/entities/{entity}/members/{username}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Give a user a role in a team */
        put: operations["putMember"];
        post?: never;
        /** Take a user out of a team */
        delete: operations["removeMember"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Keys that this user made */
        get: operations["listKeys"];
        put?: never;
        /**
         * Make a key for oneself, or for an agent
         * @description The key is in this answer and nowhere else.
         */
        post: operations["createKey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/keys/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Make a key open nothing any more
         * @description One of your own; for agent keys also any admin of the entity. Other API processes notice within 3 s.
         */
        delete: operations["revokeKey"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/entities/{entity}/projects": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Projects of an entity */
        get: operations["listProjects"];
        put?: never;
        /**
         * Make a project
         * @description Not needed before using one: the first job, launch or run in a project makes it.
         */
        post: operations["createProject"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/entities/{entity}/projects/{project}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One project */
        get: operations["getProject"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/queues": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Queues that this key may see */
        get: operations["listQueues"];
        put?: never;
        /** Make a queue */
        post: operations["createQueue"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/queues/{entity}/{queue}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One queue with its depth */
        get: operations["getQueue"];
        put?: never;
        post?: never;
        /**
         * Delete a queue
         * @description Only when nothing waits and nothing runs in it; with cancelWaiting, launches that wait are cancelled (the answer names the bulk that does it). The name is free at once; launches of the queue can still be read.
         */
        delete: operations["deleteQueue"];
        options?: never;
        head?: never;
        /**
         * Change a queue
         * @description Launches that were accepted before keep what they were accepted with; limits hold from now on and stop nothing that runs. Null takes a limit away.
         */
        patch: operations["updateQueue"];
        trace?: never;
    };
    "/queues/{entity}/{queue}/pause": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Hand nothing out
         * @description When this answers, no further launch of the queue is taken. What runs goes on and is watched.
         */
        post: operations["pauseQueue"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/queues/{entity}/{queue}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Hand out again */
        post: operations["resumeQueue"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/queues/{entity}/{queue}/drain": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Take no new launches
         * @description Launches that wait are worked off; new ones are refused.
         */
        post: operations["drainQueue"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/queues/{entity}/{queue}/undrain": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Take new launches again */
        post: operations["undrainQueue"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/entities/{entity}/secrets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Secrets of an entity, by name */
        get: operations["listSecrets"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/entities/{entity}/secrets/{secret}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What is known of a secret; never its value */
        get: operations["getSecret"];
        /**
         * Make a secret, or give it another value
         * @description Launches get the value that it has when their job is handed to the target. 201 = new.
         */
        put: operations["putSecret"];
        post?: never;
        /**
         * Delete a secret, and take it off the queues that allow it
         * @description Jobs that run keep what they were given. Launches that wait for it fail when they are submitted.
         */
        delete: operations["deleteSecret"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/secret-keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The keys of the installation, and how much lies under each
         * @description A key with nothing under it is not needed any more.
         */
        get: operations["listSecretKeys"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/secret-keys/reseal": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Store under the present key what lies under older ones */
        post: operations["resealSecrets"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/lines": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Every line at this moment, in short */
        get: operations["listLines"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/queues/{entity}/{queue}/line": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One line at this moment: who is next, who is held, what runs */
        get: operations["getLine"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/entities/{entity}/projects/{project}/jobs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Jobs of a project */
        get: operations["listJobs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/entities/{entity}/projects/{project}/jobs/{job}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One job with its versions, newest first, and who used them */
        get: operations["getJob"];
        put?: never;
        post?: never;
        /**
         * Delete a job, or one of its versions
         * @description For good. Refused while launches that wait or run use it (`job-in-use`), and while a version has names besides `latest` (`conflict`, unless `aliases=true`).
         */
        delete: operations["deleteJob"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/entities/{entity}/projects/{project}/jobs/{job}/versions/{version}/code": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The code of a job version as a gzipped tar */
        get: operations["downloadJobCode"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/entities/{entity}/projects/{project}/jobs/{job}/diff": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What one version of a job has that another has not */
        get: operations["diffJobVersions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/entities/{entity}/projects/{project}/jobs/{job}/versions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Upload a folder as a code job version
         * @description The body is the folder as a gzipped tar: `tar cz -C examples/train . | curl --data-binary @- -H "Content-Type: application/gzip" "…/jobs/train/versions?entryPoint=python%20train.py"`. `.git` and `wandb` folders are left out, links are refused. The same files again make no new version (200, created: false), but take the aliases.
         */
        post: operations["createJobVersion"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/entities/{entity}/projects/{project}/jobs/{job}/versions/git": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * A commit of a git repository as a job version
         * @description A branch or tag is looked up now, and the version is of the commit that it is. The API reads the repository only for that; agents fetch it.
         */
        post: operations["createGitJobVersion"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/entities/{entity}/projects/{project}/jobs/{job}/versions/image": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * A container image as a job version
         * @description The tag of the image becomes an alias of the version.
         */
        post: operations["createImageJobVersion"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/entities/{entity}/projects/{project}/jobs/{job}/aliases/{alias}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Give a version another name, or move that name to it */
        put: operations["setJobAlias"];
        post?: never;
        /** Take a name away from a version */
        delete: operations["deleteJobAlias"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/entities/{entity}/projects/{project}/jobs/{job}/versions/{version}/inputs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Say what the inputs of a version must be
         * @description JSON Schema. An empty object takes back what was said. It counts for launches from now on.
         */
        put: operations["setJobInputs"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/entities/{entity}/projects/{project}/jobs/{job}/uses": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who uses a job, or one of its versions */
        get: operations["getJobUses"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/entities/{entity}/projects/{project}/jobs/{job}/versions/{version}/images": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Images that were built of a version of a job, the newest first */
        get: operations["listJobImages"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/launches": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Launches, newest first or in the order of their line */
        get: operations["listLaunches"];
        put?: never;
        /**
         * Enqueue a launch
         * @description It is stored when this answers: nothing accepted is lost. 201 = new, 200 = accepted before under this key, or a dry run.
         */
        post: operations["enqueueLaunch"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/launches/{id}/hold": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Pass a launch over until it is released
         * @description It keeps its place in line.
         */
        post: operations["holdLaunch"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/launches/{id}/release": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Put a held launch back into its place in line */
        post: operations["releaseLaunch"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/launches/{id}/move": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Move a launch within its priority */
        post: operations["moveLaunch"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/launches/{id}/priority": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Change the priority of a launch
         * @description Among launches of its new priority its acceptance decides.
         */
        post: operations["prioritiseLaunch"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/launches/{id}/transfer": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Move a launch to the end of another queue
         * @description To the end of its priority there, in a queue of the same target; resource config and requireRun become those of that queue.
         */
        post: operations["transferLaunch"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/launches/batch": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Enqueue up to 1,000 launches, in order
         * @description A body that does not fit the schema is refused as a whole; otherwise each launch is accepted or refused for itself. With an Idempotency-Key, the launch at place i has the key "<key>#<i>".
         */
        post: operations["enqueueLaunches"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/launches/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One launch with its timeline */
        get: operations["getLaunch"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/launches/{id}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The timeline of a launch */
        get: operations["listLaunchEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/launches/{id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancel a launch
         * @description Waiting: stopped at once. Running: its job is ended. Ended: nothing changes. Safe to repeat.
         */
        post: operations["cancelLaunch"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/launches/{id}/relaunch": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Enqueue the same again
         * @description A new launch and a new run from the same request. What is given here replaces that part of the request.
         */
        post: operations["relaunchLaunch"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/bulk": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Changes of many launches, newest first */
        get: operations["listBulks"];
        put?: never;
        /**
         * Change many launches at once
         * @description Which launches it is about is fixed when this answers; the work goes on in the background. With dryRun nothing is changed: the answer says how many there are and shows the first ones, in the order in which they would be dealt with.
         */
        post: operations["startBulk"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/bulk/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How far a change of many launches is */
        get: operations["getBulk"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/bulk/{id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Stop changing launches
         * @description What is done stays done. Safe to repeat.
         */
        post: operations["cancelBulk"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/launches/{id}/waiting": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Why a launch waits, and until when
         * @description A launch that does not wait has no position and no causes; its state says where it is.
         */
        get: operations["getLaunchWaiting"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/launches/{id}/logs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The log of a launch as chunks */
        get: operations["readLaunchLog"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/launches/{id}/logs/text": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The log of a launch as it was written, byte for byte */
        get: operations["readLaunchLogText"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/launches/{id}/logs/stream": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Follow the log of a launch while it is written
         * @description Server-sent events: `log` (a LogChunk, the event id is its number) and at last `end`, when the launch has ended and all is sent. Resume with Last-Event-ID: nothing is skipped or repeated.
         */
        get: operations["followLaunchLog"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/launches/{id}/events/stream": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Follow a launch through its states
         * @description Server-sent events: `event` (a LaunchEvent of the timeline), `launch` (the Launch, at the beginning and whenever it changed), at last `end`. Resume with Last-Event-ID: events of the timeline are not repeated.
         */
        get: operations["followLaunchEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/agents": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Agents that this key may see */
        get: operations["listAgents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/agents/{entity}/{agent}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One agent */
        get: operations["getAgent"];
        put?: never;
        post?: never;
        /** Forget an agent that is gone and holds nothing */
        delete: operations["deleteAgent"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/agents/{entity}/{agent}/drain": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Let an agent take nothing new
         * @description It works off what it holds, and stays until it is activated or stopped, also through restarts of its process.
         */
        post: operations["drainAgent"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/agents/{entity}/{agent}/stop": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * End the process of an agent
         * @description As a signal to end does it: running jobs go on, and are followed by the next process at the same place. The process ends with exit code 79, and its name is refused until the agent is activated.
         */
        post: operations["stopAgent"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/agents/{entity}/{agent}/activate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Let an agent work again
         * @description Ends a drain with its next heartbeat. A process that was stopped must be started again by whoever started it.
         */
        post: operations["activateAgent"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/agents/{entity}/{agent}/release": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Let an agent out of quarantine
         * @description Its failures until now are forgotten.
         */
        post: operations["releaseAgent"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Runs of an entity, a project or a launch, newest first */
        get: operations["listRuns"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs/{entity}/{project}/{run}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One run with its config, its summary, its alerts and where it was made */
        get: operations["getRun"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs/{entity}/{project}/{run}/history": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What the run logged: a range of lines, or a sample of them */
        get: operations["readRunHistory"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs/{entity}/{project}/{run}/console": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What the run printed */
        get: operations["readRunConsole"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs/{entity}/{project}/{run}/files": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Files of a run with addresses to fetch them from */
        get: operations["listRunFiles"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs/{entity}/{project}/{run}/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Metrics of a run by name, each with its least, greatest, mean and last value
         * @description Of all lines, however many: these figures are kept while the run logs. NaN and infinities are strings. Of a run with more than 10,000 names, the first 10,000.
         */
        get: operations["listRunMetrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/entities/{entity}/projects/{project}/sweeps": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Sweeps of a project, newest first */
        get: operations["listSweeps"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/entities/{entity}/projects/{project}/sweeps/{sweep}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One sweep: its state, its best run, its runs by state, its config */
        get: operations["getSweep"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/entities/{entity}/projects/{project}/sweeps/{sweep}/runs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The parameter sets of a sweep and their runs, in the order in which they were decided */
        get: operations["listSweepRuns"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/entities/{entity}/projects/{project}/sweeps/{sweep}/pause": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Give no new parameter sets
         * @description Runs go on, and agents stay and wait.
         */
        post: operations["pauseSweep"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/entities/{entity}/projects/{project}/sweeps/{sweep}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Give parameter sets again
         * @description Also for a sweep that is over: it looks again whether anything is left to try. Agents that have left must be started again.
         */
        post: operations["resumeSweep"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/entities/{entity}/projects/{project}/sweeps/{sweep}/stop": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * End the search
         * @description Runs go on to their end; agents leave when they have none.
         */
        post: operations["stopSweep"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/entities/{entity}/projects/{project}/sweeps/{sweep}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * End the search and its runs
         * @description Runs are told to stop; agents leave.
         */
        post: operations["cancelSweep"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/entities/{entity}/projects/{project}/artifacts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Artifacts of a project, by name */
        get: operations["listArtifacts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/entities/{entity}/projects/{project}/artifacts/{collection}/versions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Versions of an artifact, newest first */
        get: operations["listArtifactVersions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/entities/{entity}/projects/{project}/artifacts/{collection}/versions/{version}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One version, the run that logged it and the runs that used it */
        get: operations["getArtifactVersion"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/entities/{entity}/projects/{project}/artifacts/{collection}/versions/{version}/files": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Files of a version with addresses to fetch them from */
        get: operations["listArtifactFiles"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs/{entity}/{project}/{run}/artifacts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Versions that a run logged, or used */
        get: operations["listRunArtifacts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who changed what, newest first */
        get: operations["listAudit"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/unanswered": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What wandb clients asked for and this Davit does not know, the latest first
         * @description Names of fields, arguments and types of GraphQL, never values. For site admins.
         */
        get: operations["listUnanswered"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/agents/hello": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A process begins to work as an agent */
        post: operations["agentHello"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/agents/{agentId}/heartbeat": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** An agent lives; answers what it is to serve */
        post: operations["agentHeartbeat"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/agents/{agentId}/claim": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Take the first launch of a line */
        post: operations["agentClaim"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/agents/{agentId}/launches/{launchId}/confirm": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** The first act under a claim; answers what to run */
        post: operations["agentConfirm"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/agents/{agentId}/launches/{launchId}/give-back": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Put a launch back in its place that was claimed and not begun */
        post: operations["agentGiveBack"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/agents/{agentId}/launches/{launchId}/progress": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** How the attempt gets on */
        post: operations["agentProgress"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/agents/{agentId}/launches/{launchId}/log": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Append to a stream of a launch; answers its length, where the next piece belongs */
        post: operations["agentLog"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/agents/{agentId}/launches/{launchId}/secrets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Secret variables for the job: the named secrets it asked for, and a key that reaches its own run and project only */
        post: operations["agentSecrets"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/agents/{agentId}/launches/{launchId}/named-secrets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Secrets that the launch's queue allows, for preparing its job */
        post: operations["agentNamedSecrets"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/agents/{agentId}/launches/{launchId}/masks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What the log of a launch must not show, for whoever found its job at its place */
        get: operations["agentMasks"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/agents/{agentId}/launches/{launchId}/code": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The job's code */
        get: operations["agentCode"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/agents/{agentId}/launches/{launchId}/patch": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Changes on top of the job's commit, as git diff writes them */
        get: operations["agentPatch"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/agents/{agentId}/launches/{launchId}/build-lock": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Take, renew or give back the right to build an image; it ends by itself when its holder falls silent or loses its claim */
        post: operations["agentBuildLock"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/agents/{agentId}/launches/{launchId}/image": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** What the launch runs, and what is known of the image */
        post: operations["agentImage"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/agents/{agentId}/launches/{launchId}/trace": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Where a launch stands in its trace, for the agent that works on it */
        get: operations["agentTrace"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        AcceptedLaunch: {
            id: string;
            /** @description False: this Idempotency-Key was accepted before. */
            created: boolean;
            /** @description What was accepted all the same, such as inputs that do not fit. */
            warnings: string[];
        };
        Agent: {
            entity: string;
            name: string;
            id: string;
            /**
             * @description draining: takes nothing new; stopped: its process has ended in order; lost: it is not heard of.
             * @enum {string}
             */
            status: "active" | "draining" | "stopped" | "lost";
            /**
             * @description What an operator wants; told with its next heartbeat.
             * @enum {string}
             */
            wanted: "active" | "draining" | "stopped";
            wantedBy: string | null;
            host: string;
            pid: number;
            version: string;
            /** @description Its slots; -1: unlimited. */
            maxJobs: number;
            slots: {
                /** @description Null: unlimited. */
                total: number | null;
                /** @description Launches that are charged to it, those of its earlier processes included. */
                used: number;
            };
            /** @description entity/queue */
            queues: string[];
            /** @description Queues that its key is bound to; null: every one of the entity. */
            boundTo: string[] | null;
            /** @description What it has; launches may require it. */
            labels: {
                [key: string]: string;
            };
            /** @description What it can run, as its process found it at its start. place: whoever has the same can adopt its jobs. */
            targets: {
                [key: string]: {
                    place: string;
                    ok: boolean;
                    details: string[];
                };
            };
            /** @description What it holds now. */
            launches: {
                id: string;
                /** @enum {string} */
                state: "queued" | "claimed" | "preparing" | "submitting" | "starting" | "running" | "stopping" | "finished" | "failed" | "stopped";
                /** @description entity/queue */
                queue: string;
                /** @description entity/project */
                project: string;
                /**
                 * Format: date-time
                 * @description It is in this state.
                 */
                since: string;
            }[];
            /** @description Set while the agent takes nothing because launches failed on it. */
            quarantine: {
                reason: string;
                by: string;
                /** Format: date-time */
                since: string;
                /** @description The evidence, newest first. */
                launches: {
                    launchId: string;
                    code: string;
                    message: string;
                    at: string;
                }[];
                /** @description So many different launches must fail in a row; 0: never. */
                quarantineAfter: number;
                /** @description From then on it may take one launch to prove itself. */
                probeAfter: string | null;
                /** @description The launch that it proves itself with now. */
                probeLaunch: string | null;
            } | null;
            /** Format: date-time */
            startedAt: string;
            /** Format: date-time */
            heartbeatAt: string;
            heartbeatAgeMs: number;
        };
        AgentClaim: {
            /** @enum {string} */
            outcome: "granted" | "none" | "paused" | "limited" | "quarantined" | "draining" | "stale" | "spent" | "superseded";
            /** @description Launches of the line that could still be claimed, counted up to 41. */
            left: number;
            launchId?: string;
            claim?: string;
        };
        AgentDuty: {
            queues: {
                queueId: number;
                entity: string;
                queue: string;
                /** @enum {string} */
                target: "process" | "docker" | "kubernetes" | "sagemaker" | "vertex";
                /** @description Hash of the labels that launches of this line require; empty: none. */
                class: string;
                taskQueue: string;
            }[];
            /**
             * @description What an operator wants: draining takes nothing new and stays, stopped ends the process.
             * @enum {string}
             */
            wanted: "active" | "draining" | "stopped";
            /** @description Set while the agent takes nothing because launches failed on it. */
            quarantine: {
                reason: string;
                probeAfter: string | null;
            } | null;
        };
        AgentHello: {
            entity: string;
            name: string;
            incarnation: string;
            endedIncarnation?: string;
            host: string;
            pid: number;
            version: string;
            maxJobs: number;
            targets: {
                [key: string]: {
                    place: string;
                    ok: boolean;
                    details: string[];
                };
            };
            /** @description What it has; launches may require it. */
            labels?: {
                [key: string]: string;
            };
            /** @description Different launches that must fail on it in a row until it takes nothing more; 0: never. Default: 3. */
            quarantineAfter?: number;
            queues: (string | "*")[];
        };
        AgentPage: {
            items: components["schemas"]["Agent"][];
            nextCursor?: string;
        };
        AgentWelcome: {
            queues: {
                queueId: number;
                entity: string;
                queue: string;
                /** @enum {string} */
                target: "process" | "docker" | "kubernetes" | "sagemaker" | "vertex";
                /** @description Hash of the labels that launches of this line require; empty: none. */
                class: string;
                taskQueue: string;
            }[];
            /**
             * @description What an operator wants: draining takes nothing new and stays, stopped ends the process.
             * @enum {string}
             */
            wanted: "active" | "draining" | "stopped";
            /** @description Set while the agent takes nothing because launches failed on it. */
            quarantine: {
                reason: string;
                probeAfter: string | null;
            } | null;
            agentId: string;
            privateTaskQueue: string;
            watchTaskQueues: {
                [key: string]: string;
            };
            heartbeatMs: number;
            temporal: {
                address: string;
                namespace: string;
            };
        };
        ArtifactCollection: {
            name: string;
            type: string;
            /**
             * @description A portfolio has links to versions that were logged elsewhere.
             * @enum {string}
             */
            kind: "sequence" | "portfolio";
            description: string;
            tags: string[];
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            updatedAt: string;
        };
        ArtifactFile: {
            path: string;
            size: number | null;
            /** @description Base64 MD5; of a reference what its storage says. */
            digest: string;
            /** @description Where it lies, when it is not stored here. */
            reference: string | null;
            /** @description Absolute, needs no key, works for an hour. */
            url: string | null;
        };
        ArtifactFilePage: {
            items: components["schemas"]["ArtifactFile"][];
            nextCursor?: string;
        };
        ArtifactLineage: {
            version: components["schemas"]["ArtifactVersion"];
            loggedBy: {
                entity: string;
                project: string;
                name: string;
                displayName: string;
            } | null;
            /** @description At most 200, oldest first; only runs that you may see. */
            usedBy: {
                entity: string;
                project: string;
                name: string;
                displayName: string;
            }[];
        };
        ArtifactPage: {
            items: components["schemas"]["ArtifactCollection"][];
            nextCursor?: string;
        };
        ArtifactVersion: {
            entity: string;
            project: string;
            /** @description Where it was logged. */
            collection: string;
            /** @description vN of the collection that was asked. */
            version: string;
            type: string;
            description: string;
            metadata: {
                [key: string]: unknown;
            };
            aliases: string[];
            tags: string[];
            digest: string;
            size: number;
            fileCount: number;
            /** Format: date-time */
            createdAt: string;
            createdBy: string;
        };
        ArtifactVersionPage: {
            items: components["schemas"]["ArtifactVersion"][];
            nextCursor?: string;
        };
        AuditEvent: {
            id: number;
            /** Format: date-time */
            at: string;
            actor: string;
            action: string;
            subject: string;
            data: {
                [key: string]: unknown;
            };
            /** @description The bulk that it was a part of. */
            bulk: string | null;
        };
        AuditPage: {
            items: components["schemas"]["AuditEvent"][];
            nextCursor?: string;
        };
        Bulk: {
            id: string;
            entity: string;
            /** @enum {string} */
            action: "cancel" | "retry" | "hold" | "release" | "move" | "priority" | "transfer";
            filter: {
                [key: string]: unknown;
            };
            params: {
                [key: string]: unknown;
            };
            actor: string;
            /** @enum {string} */
            state: "running" | "done" | "cancelled";
            /** @description Launches that it is about, fixed when it began. */
            total: number;
            done: number;
            /** @description Launches that had changed by themselves when it came to them. */
            skipped: number;
            failed: number;
            /** @description Error code -> launches that were refused for it. */
            failures: {
                [key: string]: number;
            };
            /** @description What keeps it from going on at this moment. */
            error: string | null;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            updatedAt: string;
        };
        BulkPage: {
            items: components["schemas"]["Bulk"][];
            nextCursor?: string;
        };
        BulkRequest: {
            entity?: string;
            /** @enum {string} */
            action: "cancel" | "retry" | "hold" | "release" | "move" | "priority" | "transfer";
            filter: {
                queue?: string;
                project?: string;
                state?: ("queued" | "claimed" | "preparing" | "submitting" | "starting" | "running" | "stopping" | "finished" | "failed" | "stopped" | "held") | ("queued" | "claimed" | "preparing" | "submitting" | "starting" | "running" | "stopping" | "finished" | "failed" | "stopped" | "held")[];
                hold?: ("user" | "back-off" | "parked") | ("user" | "back-off" | "parked")[];
                author?: string;
                priority?: ("critical" | "high" | "medium" | "low") | ("critical" | "high" | "medium" | "low")[];
                job?: string;
                labels?: {
                    [key: string]: string;
                };
                olderThanMs?: number;
                ids?: string[];
            };
            params?: {
                /** @enum {string} */
                to?: "front" | "back";
                /** @enum {string} */
                priority?: "critical" | "high" | "medium" | "low";
                queue?: string;
                reason?: string;
            };
            dryRun?: boolean;
        };
        CancelledLaunch: {
            id: string;
            /** @enum {string} */
            state: "queued" | "claimed" | "preparing" | "submitting" | "starting" | "running" | "stopping" | "finished" | "failed" | "stopped";
        };
        ChangedLaunch: {
            id: string;
            /** @constant */
            outcome: "done";
            /** @description Place in line now, 1 = next. Null: it is held. */
            position: number | null;
            held: boolean;
        };
        CreatedJobVersion: {
            entity: string;
            project: string;
            job: string;
            version: string;
            digest: string;
            /** @description False: no changes, this version existed. */
            created: boolean;
            /** @enum {string} */
            message: "Created" | "Updated" | "No changes detected";
            /** @description Of the code; 0 when it lies elsewhere. */
            files: number;
            bytes: number;
            /** @description Of a git job: what its branch or tag was. */
            commit?: string;
            warnings: string[];
        };
        CreatedKey: {
            id: string;
            /** @enum {string} */
            kind: "user" | "agent";
            key: string;
        };
        CreatedUser: {
            username: string;
            entity: string;
            keyId: string;
            key: string;
        };
        DeletedQueue: {
            entity: string;
            name: string;
            /** @description Launches that waited. */
            cancelling: number;
            /** @description The bulk that cancels them. */
            bulk: string | null;
        };
        DryRun: {
            /** @constant */
            dryRun: true;
            /** @description The request with names looked up and defaults filled in. Its run name is made at enqueue when none is given. */
            resolved: {
                [key: string]: unknown;
            };
            /** @description What the target would be asked to run. The launch id in it is an example: the real one is made at enqueue. */
            plan: {
                [key: string]: unknown;
            } | null;
            /** @description Why there is no plan: the launch would be accepted and then fail. */
            planProblems: {
                code: string;
                sentence: string;
            }[];
            /** @description What would be accepted all the same. */
            warnings: string[];
            /** @description Variables that join the plan when the job is handed to the target; their values are stored nowhere. */
            secrets: {
                name: string;
                source: string;
            }[];
            queue: {
                entity: string;
                name: string;
                /** @enum {string} */
                target: "process" | "docker" | "kubernetes" | "sagemaker" | "vertex";
                accepts: boolean;
                /** @description Why the queue would refuse it. */
                problems: {
                    code: string;
                    sentence: string;
                }[];
                /** @description The place in line that it would get; null: held. */
                position: number | null;
            };
            /** @description Everything that keeps it now, the most important first. */
            causes: components["schemas"]["WaitingCause"][];
            /** @description When it will be taken. */
            estimate?: components["schemas"]["StartEstimate"];
            /** @description Why there is no estimate. */
            noEstimate?: string;
        };
        Entity: {
            name: string;
            /** @enum {string} */
            kind: "user" | "team";
            /**
             * @description What this key may do in it.
             * @enum {string}
             */
            role: "viewer" | "member" | "admin";
            /** Format: date-time */
            createdAt: string;
        };
        EntityPage: {
            items: components["schemas"]["Entity"][];
            nextCursor?: string;
        };
        Failure: {
            code: string;
            /** @enum {string} */
            stage: "enqueue" | "claim" | "prepare" | "submit" | "run";
            /** @enum {string} */
            fault: "user" | "target" | "platform";
            message: string;
            fix: string;
        };
        HoldLaunch: {
            reason?: string;
        };
        Job: {
            entity: string;
            project: string;
            name: string;
            /** @description Null: its wandb-job.json cannot be understood. */
            kind: ("code" | "git" | "image") | null;
            description: string;
            versions: number;
            latestVersion: string;
            latestBy: string;
            latestAt: string | null;
            /** Format: date-time */
            createdAt: string;
        };
        JobAlias: {
            /** @description vN or an alias. */
            version: string;
        };
        JobDetail: {
            entity: string;
            project: string;
            name: string;
            versions: components["schemas"]["JobVersion"][];
            nextCursor?: string;
        };
        JobDiff: {
            from: string;
            to: string;
            /** @description Of wandb-job.json and of the input schemas; null: it is not there. */
            fields: {
                field: string;
                from: unknown;
                to: unknown;
            }[];
            requirements: {
                added: string[];
                removed: string[];
            };
            /** @description Of the code, at most 1,000. */
            files: {
                path: string;
                /** @enum {string} */
                change: "added" | "removed" | "changed";
            }[];
            filesChanged: number;
        };
        JobImage: {
            /** @description By digest where a registry has it; else the id of the Engine that built it. */
            image: string;
            name: string;
            /** @description Digest over all inputs of the build. */
            inputs: string;
            /** @description What is known of it: builder, baseImage and baseDigest, platform, requirementsLock (as pip freeze writes it). */
            facts: {
                [key: string]: unknown;
            };
            /** Format: date-time */
            builtAt: string;
        };
        JobInputs: {
            /** @description JSON Schema of wandb.config. */
            config?: {
                [key: string]: unknown;
            };
            /** @description Of files that the program reads: path -> JSON Schema. */
            files?: {
                [key: string]: {
                    [key: string]: unknown;
                };
            };
        };
        JobInputsAnswer: {
            /** @description Parts that will not be enforced. */
            warnings: string[];
        };
        JobPage: {
            items: components["schemas"]["Job"][];
            nextCursor?: string;
        };
        JobUses: {
            /** @description Launches that wait or run. */
            open: number;
            /** @description Some of them, at most 20. */
            launches: string[];
            /** @description Launches that have ended. Without the job they cannot be relaunched. */
            ended: number;
            /** @description Runs that say they used it. */
            runs: number;
            /** @description Names besides `latest` that go with it. */
            aliases: string[];
        };
        JobVersion: {
            /** @description vN */
            version: string;
            aliases: string[];
            /** @description Hex MD5 over its files, as the wandb client computes it. */
            digest: string;
            /** @description Null: its wandb-job.json cannot be understood. */
            kind: ("code" | "git" | "image") | null;
            entryPoint: string[] | null;
            pythonVersion: string | null;
            /** @description As in wandb-job.json. */
            source: {
                [key: string]: unknown;
            };
            services: {
                [key: string]: string;
            };
            /** @description A git job with changes on top of its commit. */
            patched: boolean;
            /** @description It has never run, and nobody has said what its inputs are. */
            partial: boolean;
            /** @description What a launch must fit. */
            inputs: {
                config?: {
                    [key: string]: unknown;
                };
                files: {
                    [key: string]: {
                        [key: string]: unknown;
                    };
                };
            } | null;
            /** @description What its runs were given, in the type language of the wandb client. */
            inputTypes: unknown;
            /** @description What their summaries held. */
            outputTypes: unknown;
            codeDigest: string | null;
            description: string;
            createdBy: string;
            /** Format: date-time */
            createdAt: string;
            /** @description Launches that used this version. */
            launches: number;
            lastLaunch: string | null;
            lastLaunchAt: string | null;
        };
        Key: {
            id: string;
            /** @enum {string} */
            kind: "user" | "agent" | "run";
            /** @description The last four characters. */
            hint: string;
            description: string;
            /** @description Agent keys: the one entity they reach. */
            entity: string | null;
            /** @description Agent keys: the queues they are bound to; null: every one of the entity. */
            queues: string[] | null;
            /** Format: date-time */
            createdAt: string;
            expiresAt: string | null;
            revokedAt: string | null;
            lastUsedAt: string | null;
        };
        KeyList: {
            items: components["schemas"]["Key"][];
        };
        Launch: {
            id: string;
            /** @description Of the project. */
            entity: string;
            project: string;
            queue: {
                entity: string;
                name: string;
            };
            /** @enum {string} */
            target: "process" | "docker" | "kubernetes" | "sagemaker" | "vertex";
            /** @description As it was asked for; the image, when there is no job. */
            job: string;
            /** @description The version that the alias meant at enqueue: name:vN. */
            jobVersion: string | null;
            author: string;
            /** @enum {string} */
            state: "queued" | "claimed" | "preparing" | "submitting" | "starting" | "running" | "stopping" | "finished" | "failed" | "stopped";
            /** @description Why it is in this state, when there is something to say. */
            reason: string | null;
            /** @enum {string} */
            priority: "critical" | "high" | "medium" | "low";
            held: boolean;
            /** @description Why it is passed over while it waits. */
            hold: {
                /** @enum {string} */
                cause: "user" | "back-off" | "parked";
                by: string | null;
                reason: string | null;
                /** @description It is released by itself then. */
                releaseAt: string | null;
            } | null;
            /** @description Labels that its agent must have. */
            requires: {
                [key: string]: string;
            };
            /** @description If it waits until then, it is stopped. */
            expiresAt: string | null;
            attempt: number;
            /** @description Cause -> how often it was tried again for it. */
            retries: {
                [key: string]: number;
            };
            /** @description The time-out that comes next: the code of the failure that it leads to. */
            deadline: {
                code: string;
                /** Format: date-time */
                at: string;
            } | null;
            /** @description How many claims it has had. */
            epoch: number;
            agent: string | null;
            node: string | null;
            /** @description Id of its run, fixed at enqueue. */
            runName: string;
            requireRun: boolean;
            exitCode: number | null;
            failure: components["schemas"]["Failure"] | null;
            cancelRequestedAt: string | null;
            cancelledBy: string | null;
            relaunchOf: string | null;
            /** Format: date-time */
            createdAt: string;
            claimedAt: string | null;
            startedAt: string | null;
            endedAt: string | null;
        };
        LaunchBatch: {
            launches: components["schemas"]["LaunchRequest"][];
        };
        LaunchBatchResult: {
            results: (components["schemas"]["AcceptedLaunch"] | {
                error: components["schemas"]["Problem"];
            })[];
        };
        LaunchDetail: {
            id: string;
            /** @description Of the project. */
            entity: string;
            project: string;
            queue: {
                entity: string;
                name: string;
            };
            /** @enum {string} */
            target: "process" | "docker" | "kubernetes" | "sagemaker" | "vertex";
            /** @description As it was asked for; the image, when there is no job. */
            job: string;
            /** @description The version that the alias meant at enqueue: name:vN. */
            jobVersion: string | null;
            author: string;
            /** @enum {string} */
            state: "queued" | "claimed" | "preparing" | "submitting" | "starting" | "running" | "stopping" | "finished" | "failed" | "stopped";
            /** @description Why it is in this state, when there is something to say. */
            reason: string | null;
            /** @enum {string} */
            priority: "critical" | "high" | "medium" | "low";
            held: boolean;
            /** @description Why it is passed over while it waits. */
            hold: {
                /** @enum {string} */
                cause: "user" | "back-off" | "parked";
                by: string | null;
                reason: string | null;
                /** @description It is released by itself then. */
                releaseAt: string | null;
            } | null;
            /** @description Labels that its agent must have. */
            requires: {
                [key: string]: string;
            };
            /** @description If it waits until then, it is stopped. */
            expiresAt: string | null;
            attempt: number;
            /** @description Cause -> how often it was tried again for it. */
            retries: {
                [key: string]: number;
            };
            /** @description The time-out that comes next: the code of the failure that it leads to. */
            deadline: {
                code: string;
                /** Format: date-time */
                at: string;
            } | null;
            /** @description How many claims it has had. */
            epoch: number;
            agent: string | null;
            node: string | null;
            /** @description Id of its run, fixed at enqueue. */
            runName: string;
            requireRun: boolean;
            exitCode: number | null;
            failure: components["schemas"]["Failure"] | null;
            cancelRequestedAt: string | null;
            cancelledBy: string | null;
            relaunchOf: string | null;
            /** Format: date-time */
            createdAt: string;
            claimedAt: string | null;
            startedAt: string | null;
            endedAt: string | null;
            /** @description Place in line, 1 = next; null when it does not wait. */
            position: number | null;
            /** @description The main reason why it waits, with the next step; /launches/{id}/waiting has all of them. */
            waiting: string | null;
            /** @description What was asked for. */
            request: {
                [key: string]: unknown;
            };
            /** @description The same with names looked up and defaults filled in. */
            resolved: {
                [key: string]: unknown;
            };
            /** @description What the target was asked to run. */
            plan: {
                [key: string]: unknown;
            } | null;
            /** @description What it runs in; null while that is not known, and where no image is used. */
            image: {
                /** @description repository@sha256:… where a registry has it; else its id on the Engine. */
                image: string;
                /** @description As it was asked for or built: repository:tag. */
                name: string;
                /**
                 * @description image: it is the job. base: code was brought to it. built: made of the code.
                 * @enum {string}
                 */
                use: "image" | "base" | "built";
            } | null;
            /** @description Null until the job has called wandb.init. */
            run: {
                name: string;
                displayName: string;
                state: string;
                url: string;
            } | null;
            timeline: components["schemas"]["LaunchEvent"][];
        };
        LaunchEvent: {
            /** @description Unique in the launch: writer and number. */
            key: string;
            /** Format: date-time */
            at: string;
            type: string;
            sentence: string;
            data: {
                [key: string]: unknown;
            };
        };
        LaunchEventList: {
            items: components["schemas"]["LaunchEvent"][];
        };
        LaunchInLine: {
            id: string;
            /** @description 1 = next. Null: held, or under way. */
            position: number | null;
            /** @enum {string} */
            state: "queued" | "claimed" | "preparing" | "submitting" | "starting" | "running" | "stopping" | "finished" | "failed" | "stopped";
            /** @enum {string} */
            priority: "critical" | "high" | "medium" | "low";
            job: string;
            entity: string;
            project: string;
            author: string;
            agent: string | null;
            /**
             * Format: date-time
             * @description When it came into line last.
             */
            queuedAt: string;
            claimedAt: string | null;
            startedAt: string | null;
            hold: ("user" | "back-off" | "parked") | null;
            holdReason: string | null;
            requires: {
                [key: string]: string;
            };
        };
        LaunchPage: {
            items: components["schemas"]["Launch"][];
            nextCursor?: string;
        };
        LaunchRequest: {
            queue: string;
            job?: string;
            image?: string;
            project?: string;
            entity?: string;
            name?: string;
            /** @enum {string} */
            priority?: "critical" | "high" | "medium" | "low";
            runId?: string;
            requireRun?: boolean;
            overrides?: {
                entryPoint?: string[];
                args?: string[];
                config?: {
                    [key: string]: unknown;
                };
                environment?: {
                    [key: string]: string;
                };
                secrets?: {
                    [key: string]: string;
                };
                workingDir?: string;
                ref?: string;
                dockerfile?: string;
                buildContext?: string;
                baseImage?: string;
                image?: string;
                builder?: string;
                artifacts?: {
                    [key: string]: string;
                };
                files?: {
                    [key: string]: {
                        [key: string]: unknown;
                    };
                };
                resourceConfig?: {
                    [key: string]: unknown;
                };
            };
            templateVariables?: {
                [key: string]: string | number;
            };
            requires?: {
                [key: string]: string;
            };
            retry?: {
                causes: {
                    [key: string]: {
                        attempts: number;
                    };
                };
                backoff?: {
                    initialMs?: number;
                    factor?: number;
                    maxMs?: number;
                };
                /** @enum {string} */
                attempt?: "same" | "new";
                /** @enum {string} */
                run?: "resume" | "new";
            };
            timeouts?: {
                prepareMs?: number;
                startMs?: number;
                runMs?: number;
                totalMs?: number;
            };
            ttlMs?: number;
            hold?: boolean;
        };
        LaunchWaiting: {
            /** @enum {string} */
            state: "queued" | "claimed" | "preparing" | "submitting" | "starting" | "running" | "stopping" | "finished" | "failed" | "stopped";
            /** @description Place in line, 1 = next; null when it is held or does not wait. */
            position: number | null;
            /** @description Everything that keeps it now, the most important first. */
            causes: components["schemas"]["WaitingCause"][];
            /** @description When it will be taken. */
            estimate?: components["schemas"]["StartEstimate"];
            /** @description Why there is no estimate. */
            noEstimate?: string;
        };
        Line: {
            /** Format: date-time */
            at: string;
            line: components["schemas"]["LineSummary"];
            /** @description In the order in which they are taken. */
            next: components["schemas"]["LaunchInLine"][];
            held: components["schemas"]["LaunchInLine"][];
            /** @description What holds a slot, the longest first. */
            running: components["schemas"]["LaunchInLine"][];
        };
        LineList: {
            /** Format: date-time */
            at: string;
            items: components["schemas"]["LineSummary"][];
        };
        LineSummary: {
            entity: string;
            queue: string;
            /** @enum {string} */
            target: "process" | "docker" | "kubernetes" | "sagemaker" | "vertex";
            paused: boolean;
            pausedBy: string | null;
            pausedAt: string | null;
            pauseReason: string | null;
            draining: boolean;
            /** @enum {string} */
            discipline: "fifo" | "fair";
            maxRunning: number | null;
            maxRunningPerProject: number | null;
            maxWaiting: number | null;
            waiting: number;
            held: number;
            /** @description Launches that hold a slot. */
            running: number;
            /** @description When the one that waits longest came into line. */
            oldestQueuedAt: string | null;
            /** @description Agents that serve it and may take something. */
            agents: number;
            /** @description Of these agents, for all of their queues together. Null: one of them has no limit. */
            slots: number | null;
            slotsBusy: number;
            /** @description Launches that ended, over the last five minutes. */
            endedPerMinute: number | null;
        };
        LogChunk: {
            /** @description Number of the chunk in the launch, from 1, without gap. */
            n: number;
            attempt: number;
            /** @enum {string} */
            stream: "prepare" | "stdout" | "stderr";
            /** @description Where its bytes begin in the stream. */
            fromByte: number;
            /** Format: date-time */
            at: string;
            text: string;
        };
        LogPage: {
            chunks: components["schemas"]["LogChunk"][];
            /** @description Ask from here for what comes after. */
            nextFrom: number;
            /** @description There is more to read now. */
            more: boolean;
            /** @description Nothing will be added any more. */
            ended: boolean;
        };
        Member: {
            username: string;
            displayName: string;
            /** @enum {string} */
            role: "viewer" | "member" | "admin";
        };
        MemberList: {
            items: components["schemas"]["Member"][];
        };
        MemberRole: {
            /** @enum {string} */
            role: "viewer" | "member" | "admin";
        };
        MoveLaunch: {
            /** @enum {string} */
            to?: "front" | "back";
            before?: string;
            after?: string;
        };
        NewGitJob: {
            /** @description https://…, ssh://… or user@host:path; never with a password. */
            remote: string;
            /** @description Branch, tag or whole commit; default: the default branch. */
            ref?: string;
            /** @description Program and arguments: a text is split on spaces, quotes keep them; a list is exact. */
            entryPoint: string | string[];
            /** @description Default: any. */
            pythonVersion?: string;
            /** @description One per line; default: requirements.txt of the commit. */
            requirements?: string;
            /** @description Changes on top of the commit, as `git diff` writes them. */
            patch?: string;
            /** @description Name of the secret that opens the repository. */
            credentials?: string;
            dockerfile?: string;
            buildContext?: string;
            baseImage?: string;
            description?: string;
            /** @description Besides `latest`. */
            aliases?: string[];
            /** @description What a launch must fit. */
            inputs?: components["schemas"]["JobInputs"];
            /** @description Whether what a service of the job is for is there: name -> always or never. */
            services?: {
                [key: string]: "always" | "never";
            };
        };
        NewImageJob: {
            /** @description registry/name:tag, or name@sha256:… */
            image: string;
            /** @description Default: the image's own. */
            entryPoint?: string | string[];
            /** @description Fixed arguments. */
            args?: string[];
            description?: string;
            /** @description Besides `latest`. */
            aliases?: string[];
            /** @description What a launch must fit. */
            inputs?: components["schemas"]["JobInputs"];
            /** @description Whether what a service of the job is for is there: name -> always or never. */
            services?: {
                [key: string]: "always" | "never";
            };
        };
        NewKey: {
            /** @constant */
            kind: "user";
            description?: string;
            /** Format: date-time */
            expiresAt?: string;
        } | {
            /** @constant */
            kind: "agent";
            /** @description The entity whose queues the agent may serve. Needs the role admin there. */
            entity: string;
            /** @description Names of queues (queue or entity/queue): the agent sees and takes from these only. Default: all, later ones included. */
            queues?: string[];
            description?: string;
            /** Format: date-time */
            expiresAt?: string;
        };
        NewProject: {
            name: string;
            description?: string;
        };
        NewQueue: {
            /** @description Default: your own. */
            entity?: string;
            name: string;
            /**
             * @description Where its launches run. Fixed once made; default: process.
             * @enum {string}
             */
            target?: "process" | "docker" | "kubernetes" | "sagemaker" | "vertex";
            description?: string;
            /** @description Default: true. */
            requireRun?: boolean;
            /** @description Replaces the whole of it. `{{name}}` stands for a template variable, `${run_id}` for a macro. */
            resourceConfig?: {
                [key: string]: unknown;
            };
            /** @description What a launch may choose: name -> {"schema": {"type", "enum", "minimum", "maximum", "default"}}. Replaces all of them. */
            templateVariables?: {
                [key: string]: {
                    schema: {
                        /** @enum {string} */
                        type: "string" | "integer" | "number";
                        enum?: (string | number)[];
                        minimum?: number;
                        maximum?: number;
                        default?: string | number;
                    };
                    description?: string;
                };
            };
            /**
             * @description What to do with a launch whose inputs do not fit the input schema of its job: refuse it, or only warn.
             * @enum {string}
             */
            inputs?: "enforce" | "warn";
            /** @description False: launches of another priority than medium are refused. */
            priorities?: boolean;
            /**
             * @description fair: within a priority, the project that runs the fewest launches (by weight) comes first.
             * @enum {string}
             */
            discipline?: "fifo" | "fair";
            /** @description Launches that hold a slot, over all agents. */
            maxRunning?: number | null;
            maxRunningPerProject?: number | null;
            /** @description More than so many that wait, held ones included, are refused. */
            maxWaiting?: number | null;
            /** @description A launch that waits longer is stopped, unless it says otherwise itself. */
            ttlMs?: number | null;
            retry?: {
                causes: {
                    [key: string]: {
                        attempts: number;
                    };
                };
                backoff?: {
                    initialMs?: number;
                    factor?: number;
                    maxMs?: number;
                };
                /** @enum {string} */
                attempt?: "same" | "new";
                /** @enum {string} */
                run?: "resume" | "new";
            } | null;
            timeouts?: {
                prepareMs?: number;
                startMs?: number;
                runMs?: number;
                totalMs?: number;
            } | null;
            /** @description Names of secrets of its entity that its launches may use; replaces the whole list. Default: none. */
            secrets?: string[];
            /** @description Given to every job: variable to name of a secret, which is thereby allowed. Replaces the whole of it. */
            secretVariables?: {
                [key: string]: string;
            };
            /** @description What single projects may do; replaces the whole list. */
            projects?: {
                /** @description Without entity: one of the entity that owns the queue; made if there is none. */
                project: string;
                /** @description Instead of the queue's maxRunningPerProject. */
                maxRunning?: number | null;
                /** @description Of a fair queue; default 1. */
                weight?: number;
            }[];
        };
        NewTeam: {
            name: string;
        };
        NewUser: {
            username: string;
            displayName?: string;
            email?: string;
            isAdmin?: boolean;
        };
        PrioritiseLaunch: {
            /** @enum {string} */
            priority: "critical" | "high" | "medium" | "low";
        };
        Problem: {
            /** @description Address of the page about this code. */
            type: string;
            title: string;
            status: number;
            /** @description What happened in this case. */
            detail: string;
            /** @description The path that was asked for. */
            instance: string;
            /** @description Stable; programs compare this. */
            code: string;
            /** @enum {string} */
            fault: "user" | "target" | "platform";
            stage?: string;
            /** @description What to do next. */
            fix: string;
            requestId: string;
            errors?: {
                path: string;
                message: string;
            }[];
        };
        Project: {
            entity: string;
            name: string;
            description: string;
            /** Format: date-time */
            createdAt: string;
        };
        ProjectListItem: {
            entity: string;
            name: string;
            description: string;
            /** Format: date-time */
            createdAt: string;
            runs: number;
            jobs: number;
        };
        ProjectPage: {
            items: components["schemas"]["ProjectListItem"][];
            nextCursor?: string;
        };
        Queue: {
            entity: string;
            name: string;
            /** @enum {string} */
            target: "process" | "docker" | "kubernetes" | "sagemaker" | "vertex";
            description: string;
            /** @description Nothing is handed out; what runs goes on. */
            paused: boolean;
            pausedBy: string | null;
            pausedAt: string | null;
            pauseReason: string | null;
            /** @description New launches are refused. */
            draining: boolean;
            drainedBy: string | null;
            drainedAt: string | null;
            drainReason: string | null;
            /** @description A job that never calls wandb.init fails. */
            requireRun: boolean;
            /** @description Parameters for the target that every launch of this queue gets. */
            resourceConfig: {
                [key: string]: unknown;
            };
            /** @description What a launch may choose, by name. */
            templateVariables: {
                [key: string]: unknown;
            };
            /** @enum {string} */
            inputs: "enforce" | "warn";
            priorities: boolean;
            /** @enum {string} */
            discipline: "fifo" | "fair";
            maxRunning: number | null;
            maxRunningPerProject: number | null;
            maxWaiting: number | null;
            ttlMs: number | null;
            retry: {
                [key: string]: unknown;
            } | null;
            timeouts: {
                [key: string]: unknown;
            } | null;
            /** @description Names of secrets that its launches may use. */
            secrets: string[];
            /** @description Given to every job: variable to name of a secret. */
            secretVariables: {
                [key: string]: string;
            };
            projects: {
                /** @description entity/project */
                project: string;
                maxRunning: number | null;
                weight: number;
            }[];
            /** @description Launches in line. */
            waiting: number;
            /** @description Launches that wait and are passed over until they are released. */
            held: number;
            /** @description Launches that an agent holds. */
            running: number;
            /** @description For how long the oldest waits of those that are first in line in their priority. */
            oldestWaitingMs: number | null;
            /** @description Active agents that serve it. */
            agents: number;
            createdBy: string;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            updatedAt: string;
        };
        QueueChange: {
            description?: string;
            requireRun?: boolean;
            /** @description Replaces the whole of it. `{{name}}` stands for a template variable, `${run_id}` for a macro. */
            resourceConfig?: {
                [key: string]: unknown;
            };
            /** @description What a launch may choose: name -> {"schema": {"type", "enum", "minimum", "maximum", "default"}}. Replaces all of them. */
            templateVariables?: {
                [key: string]: {
                    schema: {
                        /** @enum {string} */
                        type: "string" | "integer" | "number";
                        enum?: (string | number)[];
                        minimum?: number;
                        maximum?: number;
                        default?: string | number;
                    };
                    description?: string;
                };
            };
            /**
             * @description What to do with a launch whose inputs do not fit the input schema of its job: refuse it, or only warn.
             * @enum {string}
             */
            inputs?: "enforce" | "warn";
            /** @description False: launches of another priority than medium are refused. */
            priorities?: boolean;
            /**
             * @description fair: within a priority, the project that runs the fewest launches (by weight) comes first.
             * @enum {string}
             */
            discipline?: "fifo" | "fair";
            /** @description Launches that hold a slot, over all agents. */
            maxRunning?: number | null;
            maxRunningPerProject?: number | null;
            /** @description More than so many that wait, held ones included, are refused. */
            maxWaiting?: number | null;
            /** @description A launch that waits longer is stopped, unless it says otherwise itself. */
            ttlMs?: number | null;
            retry?: {
                causes: {
                    [key: string]: {
                        attempts: number;
                    };
                };
                backoff?: {
                    initialMs?: number;
                    factor?: number;
                    maxMs?: number;
                };
                /** @enum {string} */
                attempt?: "same" | "new";
                /** @enum {string} */
                run?: "resume" | "new";
            } | null;
            timeouts?: {
                prepareMs?: number;
                startMs?: number;
                runMs?: number;
                totalMs?: number;
            } | null;
            /** @description Names of secrets of its entity that its launches may use; replaces the whole list. Default: none. */
            secrets?: string[];
            /** @description Given to every job: variable to name of a secret, which is thereby allowed. Replaces the whole of it. */
            secretVariables?: {
                [key: string]: string;
            };
            /** @description What single projects may do; replaces the whole list. */
            projects?: {
                /** @description Without entity: one of the entity that owns the queue; made if there is none. */
                project: string;
                /** @description Instead of the queue's maxRunningPerProject. */
                maxRunning?: number | null;
                /** @description Of a fair queue; default 1. */
                weight?: number;
            }[];
        };
        QueuePage: {
            items: components["schemas"]["Queue"][];
            nextCursor?: string;
        };
        Reason: {
            /** @description A sentence for people. */
            reason?: string;
        };
        Relaunch: {
            queue?: string;
            job?: string;
            name?: string;
            /** @enum {string} */
            priority?: "critical" | "high" | "medium" | "low";
            requireRun?: boolean;
            templateVariables?: {
                [key: string]: string | number;
            };
            /** @description Replaces the overrides field by field. A git job runs the commit that it ran, unless `ref` says another; on the same queue the very image that ran is run again, if a registry has it and nothing is changed that it depends on. */
            overrides?: {
                entryPoint?: string[];
                args?: string[];
                config?: {
                    [key: string]: unknown;
                };
                environment?: {
                    [key: string]: string;
                };
                secrets?: {
                    [key: string]: string;
                };
                workingDir?: string;
                ref?: string;
                dockerfile?: string;
                buildContext?: string;
                baseImage?: string;
                image?: string;
                builder?: string;
                artifacts?: {
                    [key: string]: string;
                };
                files?: {
                    [key: string]: {
                        [key: string]: unknown;
                    };
                };
                resourceConfig?: {
                    [key: string]: unknown;
                };
            };
        };
        Resealed: {
            resealed: number;
        };
        Run: {
            entity: string;
            project: string;
            /** @description Its id in the project (WANDB_RUN_ID). */
            name: string;
            displayName: string;
            /** @enum {string} */
            state: "pending" | "running" | "finished" | "failed" | "crashed" | "killed" | "preempting" | "preempted";
            config: {
                [key: string]: unknown;
            };
            /** @description Last or chosen value of each metric. NaN and infinities are strings. */
            summary: {
                [key: string]: unknown;
            };
            notes: string;
            tags: string[];
            group: string;
            jobType: string;
            host: string;
            program: string;
            /** @description Of the repository that its program lies in; empty when there is none. */
            commit: string;
            username: string | null;
            launchId: string | null;
            launchUrl: string | null;
            exitCode: number | null;
            historyLines: number;
            consoleLines: number;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            heartbeatAt: string;
            endedAt: string | null;
        };
        RunArtifactPage: {
            items: components["schemas"]["ArtifactVersion"][];
            nextCursor?: string;
        };
        RunConsole: {
            total: number;
            lines: {
                line: number;
                /** @enum {string} */
                level: "info" | "error";
                timestamp?: string;
                label?: string;
                text: string;
            }[];
        };
        RunDetail: {
            entity: string;
            project: string;
            /** @description Its id in the project (WANDB_RUN_ID). */
            name: string;
            displayName: string;
            /** @enum {string} */
            state: "pending" | "running" | "finished" | "failed" | "crashed" | "killed" | "preempting" | "preempted";
            config: {
                [key: string]: unknown;
            };
            /** @description Last or chosen value of each metric. NaN and infinities are strings. */
            summary: {
                [key: string]: unknown;
            };
            notes: string;
            tags: string[];
            group: string;
            jobType: string;
            host: string;
            program: string;
            /** @description Of the repository that its program lies in; empty when there is none. */
            commit: string;
            username: string | null;
            launchId: string | null;
            launchUrl: string | null;
            exitCode: number | null;
            historyLines: number;
            consoleLines: number;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            heartbeatAt: string;
            endedAt: string | null;
            /** @description What it alerted to (wandb.alert), newest first; at most 100. */
            alerts: {
                /** Format: date-time */
                at: string;
                title: string;
                text: string;
                severity: string;
            }[];
            /** @description Where it was made; null until its client has said so. */
            metadata: components["schemas"]["RunMetadata"] | null;
        };
        RunFile: {
            name: string;
            size: number;
            /** @description Base64; null where the storage does not tell. */
            md5: string | null;
            /** @description As its name ends. */
            mediaType: string | null;
            /** Format: date-time */
            uploadedAt: string;
            /** @description Absolute, needs no key, works for an hour. */
            url: string;
        };
        RunFilePage: {
            items: components["schemas"]["RunFile"][];
            nextCursor?: string;
        };
        RunHistory: {
            total: number;
            lines: {
                line: number;
                values: {
                    [key: string]: unknown;
                };
            }[];
        };
        RunMetadata: {
            os?: string;
            python?: string;
            program?: string;
            codePath?: string;
            args?: string[];
            host?: string;
            executable?: string;
            cpuCount?: number;
            gpu?: string;
            gpuCount?: number;
            git?: {
                remote?: string;
                commit?: string;
            };
        };
        RunMetric: {
            /** @description As logged; what lies in a nested value has its path with dots. */
            name: string;
            /** @description Lines of the history that have it. */
            lines: number;
            /** @description Lines by kind of value: number, string, boolean, list, map, nil, or the kind of a medium. */
            types: {
                [key: string]: number;
            };
            /** @description Of its numbers, infinities included and NaN not; null: there is none. */
            min: (number | ("NaN" | "Infinity" | "-Infinity")) | null;
            /** @description Likewise. */
            max: (number | ("NaN" | "Infinity" | "-Infinity")) | null;
            /** @description Of its finite numbers; null: there is none. */
            mean: number | null;
            /** @description Its first number; null: there is none. */
            first: (number | ("NaN" | "Infinity" | "-Infinity")) | null;
            /** @description Its last value of any kind; null when that is longer than 2,000 characters. */
            last: unknown;
            /** @description It has numbers, and none is less than the one before it. */
            nondecreasing: boolean;
        };
        RunMetricPage: {
            items: components["schemas"]["RunMetric"][];
            nextCursor?: string;
        };
        RunPage: {
            items: components["schemas"]["Run"][];
            nextCursor?: string;
        };
        Secret: {
            entity: string;
            name: string;
            description: string;
            /** @description How often it was set. */
            version: number;
            /** @description Queues of the entity whose launches may use it. */
            queues: string[];
            createdBy: string;
            /** Format: date-time */
            createdAt: string;
            updatedBy: string;
            /** Format: date-time */
            updatedAt: string;
            /** @description When an agent was last given it, to the minute. */
            usedAt: string | null;
        };
        SecretKeys: {
            /** @description Id of the key that secrets are stored under now; null: none is configured. */
            current: string | null;
            keys: {
                id: string;
                /** @description False: what lies under it cannot be opened. */
                configured: boolean;
                /** @description Secrets stored under it. */
                secrets: number;
                /** @description What launches that have not ended were given, and is kept under it. */
                running: number;
            }[];
        };
        SecretPage: {
            items: components["schemas"]["Secret"][];
            nextCursor?: string;
        };
        SecretValue: {
            /** @description Is in no answer. */
            value: string;
            /** @description Default: as before. */
            description?: string;
        };
        StartEstimate: {
            /** Format: date-time */
            madeAt: string;
            /** Format: date-time */
            earliest: string;
            /**
             * Format: date-time
             * @description 8 of 10 launches are taken between the two.
             */
            latest: string;
            /** @description What it was made from. */
            basis: string;
            hitRate: {
                /** @description Measured ones of this queue, at most the last 200. */
                estimates: number;
                /** @description Of them, such whose range held the start. */
                right: number;
                sentence: string;
            };
        };
        StartedBulk: {
            /** @description Null: it was a dry run. */
            id: string | null;
            total: number;
            /** @description The first 20. */
            sample: components["schemas"]["Launch"][];
        };
        Sweep: {
            entity: string;
            project: string;
            /** @description Its id in the project. */
            name: string;
            displayName: string;
            description: string;
            /** @enum {string} */
            state: "PENDING" | "RUNNING" | "PAUSED" | "FINISHED" | "CANCELED";
            method: string;
            /** @description Who chooses the sets: this server, or a process of its author. Null: its config cannot be read any more. */
            chooser: ("server" | "controller" | "scheduler") | null;
            metric: {
                name: string;
                /** @enum {string} */
                goal: "minimize" | "maximize";
                /** @description A run that reaches it ends the search. */
                target: number | null;
            } | null;
            /** @description The run whose summary has the best value of the metric. */
            best: {
                run: string;
                value: number;
            } | null;
            runs: {
                total: number;
                /** @description States without a run are left out. */
                byState: {
                    [key: string]: number;
                };
                /** @description run_cap of its config. */
                cap: number | null;
                /** @description How many there will be, where that is known. */
                expected: number | null;
            };
            earlyTerminate: {
                /** @constant */
                type: "hyperband";
                /** @description Numbers of logged values at which runs are compared; the first 20. */
                bands: number[];
                eta: number;
                strict: boolean;
            } | null;
            /** @description Agents that were heard of within 90 s and have not left. */
            agentsAlive: number;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            updatedAt: string;
            /** @description When an agent was last heard of. */
            heartbeatAt: string | null;
        };
        SweepDetail: {
            entity: string;
            project: string;
            /** @description Its id in the project. */
            name: string;
            displayName: string;
            description: string;
            /** @enum {string} */
            state: "PENDING" | "RUNNING" | "PAUSED" | "FINISHED" | "CANCELED";
            method: string;
            /** @description Who chooses the sets: this server, or a process of its author. Null: its config cannot be read any more. */
            chooser: ("server" | "controller" | "scheduler") | null;
            metric: {
                name: string;
                /** @enum {string} */
                goal: "minimize" | "maximize";
                /** @description A run that reaches it ends the search. */
                target: number | null;
            } | null;
            /** @description The run whose summary has the best value of the metric. */
            best: {
                run: string;
                value: number;
            } | null;
            runs: {
                total: number;
                /** @description States without a run are left out. */
                byState: {
                    [key: string]: number;
                };
                /** @description run_cap of its config. */
                cap: number | null;
                /** @description How many there will be, where that is known. */
                expected: number | null;
            };
            earlyTerminate: {
                /** @constant */
                type: "hyperband";
                /** @description Numbers of logged values at which runs are compared; the first 20. */
                bands: number[];
                eta: number;
                strict: boolean;
            } | null;
            /** @description Agents that were heard of within 90 s and have not left. */
            agentsAlive: number;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            updatedAt: string;
            /** @description When an agent was last heard of. */
            heartbeatAt: string | null;
            /** @description YAML, as its author’s client sent it. */
            config: string;
        };
        SweepPage: {
            items: components["schemas"]["Sweep"][];
            nextCursor?: string;
        };
        SweepRun: {
            /** @description Its number in the order of decisions, from 1. */
            n: number;
            /** @description The run that it is, or will be. */
            run: string;
            /** @description Null: the run has not begun, or was deleted. */
            runState: ("pending" | "running" | "finished" | "failed" | "crashed" | "killed" | "preempting" | "preempted") | null;
            displayName: string | null;
            /** @description NaN and infinities are strings. */
            parameters: {
                [key: string]: unknown;
            };
            /** @description The metric in the summary of the run. */
            value: number | null;
            /**
             * @description waiting: for an agent. given: an agent was told. started: its program or its run was seen. ended: over.
             * @enum {string}
             */
            state: "waiting" | "given" | "started" | "ended";
            /**
             * @description Who chose it: this server, a scheduler, a local controller, a run of before, a run started by hand.
             * @enum {string}
             */
            origin: "search" | "enqueued" | "controller" | "prior" | "foreign";
            /** Format: date-time */
            createdAt: string;
        };
        SweepRunPage: {
            items: components["schemas"]["SweepRun"][];
            nextCursor?: string;
        };
        TransferLaunch: {
            /** @description queue or entity/queue */
            queue: string;
        };
        Unanswered: {
            /** @description field, argument, input field or type. */
            kind: string;
            name: string;
            /** @description The operation that it stood in; empty when that had no name. */
            operation: string;
            count: number;
            /** Format: date-time */
            firstAt: string;
            /** Format: date-time */
            lastAt: string;
            /** @description What the client that asked last calls itself. */
            client: string;
        };
        UnansweredList: {
            items: components["schemas"]["Unanswered"][];
        };
        Viewer: {
            /** @enum {string} */
            kind: "user" | "agent" | "run";
            /** @description As it stands in audit events and as the author of launches. */
            name: string;
            username: string | null;
            displayName: string | null;
            email: string | null;
            isAdmin: boolean;
            /** @description The entity used where none is named. */
            entity: string | null;
            /** @description Only for the key of a job: its launch. */
            launchId: string | null;
            /** @description Of this API. */
            version: string;
        };
        WaitingCause: {
            /** @enum {string} */
            code: "held" | "back-off" | "parked" | "queue-paused" | "temporal-away" | "no-agent" | "target-unreachable" | "labels-missing" | "agents-stopped" | "agents-lost" | "agents-draining" | "agents-quarantined" | "slots-busy" | "queue-limit" | "project-limit" | "launches-ahead" | "next-in-line" | "being-handed-out";
            /** @description What is, and the next step. */
            sentence: string;
            /** @description The same for programs; docs/waiting.md names the fields. */
            data: {
                [key: string]: unknown;
            };
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    getOpenApi: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        [key: string]: unknown;
                    };
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getViewer: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Viewer"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createUser: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewUser"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CreatedUser"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listEntities: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the page before. */
                cursor?: string;
                /** @description Items a page, 1 to 200; default 50. */
                limit?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EntityPage"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createTeam: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewTeam"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Entity"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getEntity: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                entity: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Entity"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listMembers: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                entity: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MemberList"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    putMember: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                entity: string;
                username: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MemberRole"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Member"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    removeMember: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                entity: string;
                username: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listKeys: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KeyList"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createKey: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewKey"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CreatedKey"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    revokeKey: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listProjects: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the page before. */
                cursor?: string;
                /** @description Items a page, 1 to 200; default 50. */
                limit?: string;
            };
            header?: never;
            path: {
                entity: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProjectPage"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createProject: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                entity: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewProject"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Project"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getProject: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                entity: string;
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Project"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listQueues: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the page before. */
                cursor?: string;
                /** @description Items a page, 1 to 200; default 50. */
                limit?: string;
                entity?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["QueuePage"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createQueue: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewQueue"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Queue"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getQueue: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                entity: string;
                queue: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Queue"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteQueue: {
        parameters: {
            query?: {
                cancelWaiting?: "true" | "false";
            };
            header?: never;
            path: {
                entity: string;
                queue: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeletedQueue"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    updateQueue: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag that you read: the change is made only if nobody else made one since. */
                "If-Match"?: string;
            };
            path: {
                entity: string;
                queue: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["QueueChange"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Queue"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    pauseQueue: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                entity: string;
                queue: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["Reason"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Queue"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    resumeQueue: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                entity: string;
                queue: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Queue"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    drainQueue: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                entity: string;
                queue: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["Reason"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Queue"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    undrainQueue: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                entity: string;
                queue: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Queue"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listSecrets: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the page before. */
                cursor?: string;
                /** @description Items a page, 1 to 200; default 50. */
                limit?: string;
            };
            header?: never;
            path: {
                entity: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SecretPage"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getSecret: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                entity: string;
                secret: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Secret"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    putSecret: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                entity: string;
                secret: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SecretValue"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Secret"];
                };
            };
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Secret"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteSecret: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                entity: string;
                secret: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listSecretKeys: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SecretKeys"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    resealSecrets: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Resealed"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listLines: {
        parameters: {
            query?: {
                entity?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LineList"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getLine: {
        parameters: {
            query?: {
                /** @description Of each of the lists; default 50. */
                limit?: string;
            };
            header?: never;
            path: {
                entity: string;
                queue: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Line"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listJobs: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the page before. */
                cursor?: string;
                /** @description Items a page, 1 to 200; default 50. */
                limit?: string;
            };
            header?: never;
            path: {
                entity: string;
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobPage"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getJob: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the page before. */
                cursor?: string;
                /** @description Items a page, 1 to 200; default 50. */
                limit?: string;
            };
            header?: never;
            path: {
                entity: string;
                project: string;
                job: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobDetail"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteJob: {
        parameters: {
            query?: {
                /** @description Default: the whole job. */
                version?: string;
                /** @description true: the names of the version go with it. */
                aliases?: "true" | "false";
            };
            header?: never;
            path: {
                entity: string;
                project: string;
                job: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobUses"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    downloadJobCode: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                entity: string;
                project: string;
                job: string;
                /** @description vN or an alias. */
                version: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/gzip": string;
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    diffJobVersions: {
        parameters: {
            query: {
                /** @description vN or an alias. */
                from: string;
                /** @description vN or an alias. */
                to: string;
            };
            header?: never;
            path: {
                entity: string;
                project: string;
                job: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobDiff"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createJobVersion: {
        parameters: {
            query?: {
                /** @description Needed. Program and arguments: split on spaces, quotes keep them; or a JSON list of strings. */
                entryPoint?: string;
                /** @description Default: what runtime.txt or .python-version in the folder says, else any. */
                pythonVersion?: string;
                /** @description Besides `latest`; several separated by commas. */
                alias?: string;
                description?: string;
                /** @description Of the folder, or of its build context; what the image is made by. */
                dockerfile?: string;
                /** @description Folder that the Dockerfile sees; default: all of it. */
                buildContext?: string;
                /** @description What the code is put on. Excludes a Dockerfile. */
                baseImage?: string;
            };
            header?: never;
            path: {
                entity: string;
                project: string;
                job: string;
            };
            cookie?: never;
        };
        /** @description A gzipped tar of the folder. */
        requestBody: {
            content: {
                "application/gzip": string;
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CreatedJobVersion"];
                };
            };
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CreatedJobVersion"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createGitJobVersion: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                entity: string;
                project: string;
                job: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewGitJob"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CreatedJobVersion"];
                };
            };
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CreatedJobVersion"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createImageJobVersion: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                entity: string;
                project: string;
                job: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewImageJob"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CreatedJobVersion"];
                };
            };
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CreatedJobVersion"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    setJobAlias: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                entity: string;
                project: string;
                job: string;
                alias: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["JobAlias"];
            };
        };
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteJobAlias: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                entity: string;
                project: string;
                job: string;
                alias: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    setJobInputs: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                entity: string;
                project: string;
                job: string;
                /** @description vN or an alias. */
                version: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["JobInputs"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobInputsAnswer"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getJobUses: {
        parameters: {
            query?: {
                /** @description Default: the whole job. */
                version?: string;
            };
            header?: never;
            path: {
                entity: string;
                project: string;
                job: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobUses"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listJobImages: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                entity: string;
                project: string;
                job: string;
                version: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        images: components["schemas"]["JobImage"][];
                    };
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listLaunches: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the page before. */
                cursor?: string;
                /** @description Items a page, 1 to 200; default 50. */
                limit?: string;
                entity?: string;
                project?: string;
                queue?: string;
                /** @description One or more states, separated by commas; held: those queued ones that are passed over. */
                state?: string;
                /** @description One or more, separated by commas. */
                priority?: string;
                author?: string;
                /** @description Name of the job, any version. */
                job?: string;
                /** @description Labels that the launch requires: gpu=a100,zone=x. */
                labels?: string;
                /** @description Accepted at or after this time. */
                since?: string;
                /** @description Accepted before this time. */
                until?: string;
                /** @description line: what waits in one queue and is not held, by priority and place. A fair queue goes by turns through its projects. */
                order?: "newest" | "line";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LaunchPage"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    enqueueLaunch: {
        parameters: {
            query?: {
                /** @description true: says what it would do, and changes nothing. */
                dryRun?: "true" | "false";
            };
            header?: {
                /** @description The same key with the same body is accepted once, however often it is sent. 1 to 200 characters. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LaunchRequest"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AcceptedLaunch"] | components["schemas"]["DryRun"];
                };
            };
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AcceptedLaunch"] | components["schemas"]["DryRun"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    holdLaunch: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["HoldLaunch"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChangedLaunch"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    releaseLaunch: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChangedLaunch"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    moveLaunch: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MoveLaunch"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChangedLaunch"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    prioritiseLaunch: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PrioritiseLaunch"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChangedLaunch"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    transferLaunch: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TransferLaunch"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChangedLaunch"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    enqueueLaunches: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key with the same body is accepted once, however often it is sent. 1 to 200 characters. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LaunchBatch"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LaunchBatchResult"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getLaunch: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LaunchDetail"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listLaunchEvents: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LaunchEventList"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    cancelLaunch: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CancelledLaunch"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    relaunchLaunch: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key with the same body is accepted once, however often it is sent. 1 to 200 characters. */
                "Idempotency-Key"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["Relaunch"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AcceptedLaunch"];
                };
            };
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AcceptedLaunch"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listBulks: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the page before. */
                cursor?: string;
                /** @description Items a page, 1 to 200; default 50. */
                limit?: string;
                entity?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BulkPage"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    startBulk: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BulkRequest"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StartedBulk"];
                };
            };
            /** @description Accepted */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StartedBulk"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getBulk: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Bulk"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    cancelBulk: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Bulk"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getLaunchWaiting: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LaunchWaiting"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readLaunchLog: {
        parameters: {
            query?: {
                /** @description Default: all. */
                stream?: "prepare" | "stdout" | "stderr";
                /** @description Default: all. */
                attempt?: string;
                /** @description First chunk number; default 1. */
                from?: string;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LogPage"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readLaunchLogText: {
        parameters: {
            query?: {
                /** @description Default: all. */
                stream?: "prepare" | "stdout" | "stderr";
                /** @description Default: all. */
                attempt?: string;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    followLaunchLog: {
        parameters: {
            query?: {
                /** @description Default: all. */
                stream?: "prepare" | "stdout" | "stderr";
                /** @description Default: all. */
                attempt?: string;
                /** @description First chunk number; default 1. Last-Event-ID goes before it. */
                from?: string;
            };
            header?: {
                /** @description Number of the last chunk that was received. */
                "Last-Event-ID"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    followLaunchEvents: {
        parameters: {
            query?: never;
            header?: {
                /** @description Id of the last event that was received. */
                "Last-Event-ID"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listAgents: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the page before. */
                cursor?: string;
                /** @description Items a page, 1 to 200; default 50. */
                limit?: string;
                entity?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AgentPage"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getAgent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                entity: string;
                agent: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Agent"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteAgent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                entity: string;
                agent: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    drainAgent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                entity: string;
                agent: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Agent"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    stopAgent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                entity: string;
                agent: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Agent"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    activateAgent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                entity: string;
                agent: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Agent"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    releaseAgent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                entity: string;
                agent: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Agent"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listRuns: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the page before. */
                cursor?: string;
                /** @description Items a page, 1 to 200; default 50. */
                limit?: string;
                /** @description Default: your own. */
                entity?: string;
                project?: string;
                launch?: string;
                state?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RunPage"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getRun: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                entity: string;
                project: string;
                run: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RunDetail"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readRunHistory: {
        parameters: {
            query?: {
                /** @description About so many lines, evenly spread. Excludes from and limit. */
                samples?: string;
                /** @description First line, from 0. */
                from?: string;
                /** @description Default 1,000. */
                limit?: string;
            };
            header?: never;
            path: {
                entity: string;
                project: string;
                run: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RunHistory"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readRunConsole: {
        parameters: {
            query?: {
                /** @description The last so many lines. Excludes from and limit. */
                last?: string;
                /** @description First line, from 0. */
                from?: string;
                /** @description Default 1,000. */
                limit?: string;
            };
            header?: never;
            path: {
                entity: string;
                project: string;
                run: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RunConsole"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listRunFiles: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the page before. */
                cursor?: string;
                /** @description Items a page, 1 to 200; default 50. */
                limit?: string;
            };
            header?: never;
            path: {
                entity: string;
                project: string;
                run: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RunFilePage"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listRunMetrics: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the page before. */
                cursor?: string;
                /** @description Items a page, 1 to 200; default 50. */
                limit?: string;
                /** @description This one only. */
                name?: string;
                /** @description Names that begin so. */
                prefix?: string;
                /** @description history (default): what the run logged. system: what its client measured of the machine. */
                source?: "history" | "system";
            };
            header?: never;
            path: {
                entity: string;
                project: string;
                run: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RunMetricPage"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listSweeps: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the page before. */
                cursor?: string;
                /** @description Items a page, 1 to 200; default 50. */
                limit?: string;
                state?: "PENDING" | "RUNNING" | "PAUSED" | "FINISHED" | "CANCELED";
            };
            header?: never;
            path: {
                entity: string;
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SweepPage"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getSweep: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                entity: string;
                project: string;
                sweep: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SweepDetail"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listSweepRuns: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the page before. */
                cursor?: string;
                /** @description Items a page, 1 to 200; default 50. */
                limit?: string;
            };
            header?: never;
            path: {
                entity: string;
                project: string;
                sweep: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SweepRunPage"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    pauseSweep: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                entity: string;
                project: string;
                sweep: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SweepDetail"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    resumeSweep: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                entity: string;
                project: string;
                sweep: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SweepDetail"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    stopSweep: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                entity: string;
                project: string;
                sweep: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SweepDetail"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    cancelSweep: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                entity: string;
                project: string;
                sweep: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SweepDetail"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listArtifacts: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the page before. */
                cursor?: string;
                /** @description Items a page, 1 to 200; default 50. */
                limit?: string;
                type?: string;
            };
            header?: never;
            path: {
                entity: string;
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ArtifactPage"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listArtifactVersions: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the page before. */
                cursor?: string;
                /** @description Items a page, 1 to 200; default 50. */
                limit?: string;
            };
            header?: never;
            path: {
                entity: string;
                project: string;
                collection: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ArtifactVersionPage"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getArtifactVersion: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                entity: string;
                project: string;
                collection: string;
                /** @description An alias or vN. */
                version: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ArtifactLineage"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listArtifactFiles: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the page before. */
                cursor?: string;
                /** @description Items a page, 1 to 200; default 50. */
                limit?: string;
            };
            header?: never;
            path: {
                entity: string;
                project: string;
                collection: string;
                /** @description An alias or vN. */
                version: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ArtifactFilePage"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listRunArtifacts: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the page before. */
                cursor?: string;
                /** @description Items a page, 1 to 200; default 50. */
                limit?: string;
                /** @description Default: logged. */
                direction?: "logged" | "used";
            };
            header?: never;
            path: {
                entity: string;
                project: string;
                run: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RunArtifactPage"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listAudit: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the page before. */
                cursor?: string;
                /** @description Items a page, 1 to 200; default 50. */
                limit?: string;
                /** @description queue/<entity>/<queue>, launch/<id>, bulk/<id>, entity/<entity> … */
                subject?: string;
                actor?: string;
                since?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditPage"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listUnanswered: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UnansweredList"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    agentHello: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AgentHello"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AgentWelcome"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    agentHeartbeat: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                agentId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    incarnation: string;
                    /** @enum {string} */
                    status: "active" | "draining" | "stopped";
                    queues: (string | "*")[];
                };
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AgentDuty"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    agentClaim: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                agentId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    incarnation: string;
                    queueId: number;
                    class?: string;
                    ticket: string;
                    ticketAttempt: number;
                };
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AgentClaim"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    agentConfirm: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                agentId: string;
                launchId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** Format: uuid */
                    claim: string;
                    incarnation: string;
                };
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        request: {
                            launchId: string;
                            attempt: number;
                            name: string;
                            source: {
                                /** @constant */
                                kind: "code";
                            } | {
                                /** @constant */
                                kind: "git";
                                remote: string;
                                commit: string;
                                credentials?: string;
                                patched?: boolean;
                            } | {
                                /** @constant */
                                kind: "image";
                                image: string;
                            };
                            build: {
                                dockerfile?: string;
                                context?: string;
                                baseImage?: string;
                                acceleratorBaseImage?: string;
                                builder?: string;
                            };
                            entryPoint: string[];
                            args: string[];
                            command: string[];
                            workingDir: string;
                            environment: {
                                [key: string]: string;
                            };
                            requirements?: string;
                            pythonVersion?: string;
                            codeDigest?: string;
                            resourceConfig: {
                                [key: string]: unknown;
                            };
                        };
                        killGraceMs: number;
                    };
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    agentGiveBack: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                agentId: string;
                launchId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** Format: uuid */
                    claim: string;
                    reason: string;
                };
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        returned: boolean;
                    };
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    agentProgress: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                agentId: string;
                launchId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** Format: uuid */
                    claim: string;
                    /** @description The agent counts its reports of a claim; a repeated one changes nothing. */
                    n: number;
                    /** @enum {string} */
                    state?: "preparing" | "submitting" | "starting" | "running";
                    reason?: string;
                    node?: string;
                    plan?: {
                        [key: string]: unknown;
                    };
                    /** Format: date-time */
                    at: string;
                };
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description False: the claim was lost, or the launch is being stopped. */
                        accepted: boolean;
                    };
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    agentLog: {
        parameters: {
            query: {
                claim: string;
                attempt: string;
                stream: "prepare" | "stdout" | "stderr";
                fromByte: string;
                at: string;
                ended: "true" | "false";
            };
            header?: never;
            path: {
                agentId: string;
                launchId: string;
            };
            cookie?: never;
        };
        /** @description Bytes of the stream, at most 1 MiB. */
        requestBody: {
            content: {
                "application/octet-stream": string;
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        length: number;
                    };
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    agentSecrets: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                agentId: string;
                launchId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** Format: uuid */
                    claim: string;
                };
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        environment: {
                            [key: string]: string;
                        };
                    };
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    agentNamedSecrets: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                agentId: string;
                launchId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** Format: uuid */
                    claim: string;
                    names: string[];
                };
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        values: {
                            [key: string]: string;
                        };
                    };
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    agentMasks: {
        parameters: {
            query: {
                claim: string;
            };
            header?: never;
            path: {
                agentId: string;
                launchId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        values: string[];
                    };
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    agentCode: {
        parameters: {
            query: {
                claim: string;
            };
            header?: never;
            path: {
                agentId: string;
                launchId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/gzip": string;
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    agentPatch: {
        parameters: {
            query: {
                claim: string;
            };
            header?: never;
            path: {
                agentId: string;
                launchId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/x-diff": string;
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    agentBuildLock: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                agentId: string;
                launchId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** Format: uuid */
                    claim: string;
                    /** @description Name of the image. */
                    key: string;
                    /** @enum {string} */
                    action: "take" | "release";
                };
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description False: another launch builds it, or it was given back. */
                        held: boolean;
                    };
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    agentImage: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                agentId: string;
                launchId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** Format: uuid */
                    claim: string;
                    /** @description By digest where a registry has it. */
                    image: string;
                    name: string;
                    /**
                     * @description image: it is the job. base: code is brought to it. built: it was made of the code.
                     * @enum {string}
                     */
                    use: "image" | "base" | "built";
                    build?: {
                        /** @description Digest over all inputs of the build. */
                        inputs: string;
                        facts: {
                            [key: string]: string;
                        };
                    };
                };
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    agentTrace: {
        parameters: {
            query: {
                claim: string;
            };
            header?: never;
            path: {
                agentId: string;
                launchId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        traceparent: string | null;
                    };
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
}
