import { defineSearchAttributeKey, type SearchAttributePair } from '@temporalio/common';
import type { Priority } from '../domain/words.js';

export const launchAttributes = {
  queue: defineSearchAttributeKey('LaunchQueue', 'KEYWORD'),
  status: defineSearchAttributeKey('LaunchStatus', 'KEYWORD'),
  project: defineSearchAttributeKey('LaunchProject', 'KEYWORD'),
  user: defineSearchAttributeKey('LaunchUser', 'KEYWORD'),
  target: defineSearchAttributeKey('LaunchTarget', 'KEYWORD'),
  agent: defineSearchAttributeKey('LaunchAgent', 'KEYWORD'),
  priority: defineSearchAttributeKey('LaunchPriority', 'INT'),
};

export interface LaunchLabels {
  /** `entity/queue`. */
  queue: string;
  status: string;
  /** `entity/project`. */
  project: string;
  user: string;
  target: string;
  priority: Priority;
  priorityNumber: number;
}

export const attributesOf = (labels: LaunchLabels): SearchAttributePair[] => [
  { key: launchAttributes.queue, value: labels.queue },
  { key: launchAttributes.status, value: labels.status },
  { key: launchAttributes.project, value: labels.project },
  { key: launchAttributes.user, value: labels.user },
  { key: launchAttributes.target, value: labels.target },
  { key: launchAttributes.priority, value: labels.priorityNumber },
];
