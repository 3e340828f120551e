import { defineSearchAttributeKey, type SearchAttributePair } from '@temporalio/common';
import { isTerminal, isWaiting, type LaunchState } from '../domain/words.js';
import type { LaunchNote } from './messages.js';

export const launchAttributes = {
  queue: defineSearchAttributeKey('LaunchQueue', 'KEYWORD'),
  status: defineSearchAttributeKey('LaunchStatus', 'KEYWORD'),
  project: defineSearchAttributeKey('LaunchProject', 'KEYWORD'),
  user: defineSearchAttributeKey('LaunchUser', 'KEYWORD'),
  target: defineSearchAttributeKey('LaunchTarget', 'KEYWORD'),
  agent: defineSearchAttributeKey('LaunchAgent', 'KEYWORD'),
  priority: defineSearchAttributeKey('LaunchPriority', 'INT'),
};

/** By these a launch's workflow is found with Temporal's own tools. `status` is `queued`, `running`, or how it ended. */
export const attributesOf = (note: LaunchNote): SearchAttributePair[] => [
  { key: launchAttributes.queue, value: note.queue },
  { key: launchAttributes.status, value: statusOf(note.state) },
  { key: launchAttributes.project, value: note.project },
  { key: launchAttributes.user, value: note.user },
  { key: launchAttributes.target, value: note.target },
  { key: launchAttributes.priority, value: note.priority },
];

const statusOf = (state: LaunchState): string => (isWaiting(state) || isTerminal(state) ? state : 'running');
