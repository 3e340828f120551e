import { z } from 'zod';

/** Labels that a launch requires of its agent, and labels that an agent has. */

const labelName = z
  .string()
  .max(63)
  .regex(/^[A-Za-z0-9]([A-Za-z0-9_./-]*[A-Za-z0-9])?$/, 'use letters, digits, "_", ".", "/" and "-"');

export const labelsSchema = z
  .record(labelName, z.string().max(63))
  .refine((labels) => Object.keys(labels).length <= 32, 'at most 32 labels');
export type Labels = z.infer<typeof labelsSchema>;

/** The same text for the same labels, whatever their order: what the class of a launch is the hash of. Empty: nothing is required. */
export function canonicalLabels(labels: Labels): string {
  const sorted = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
  return sorted.length === 0 ? '' : JSON.stringify(sorted);
}

/** Does an agent with these labels satisfy the requirement? Each required label must be there with the same value. */
export const satisfies = (have: Labels, required: Labels): boolean =>
  Object.entries(required).every(([name, value]) => have[name] === value);
