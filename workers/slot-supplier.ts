import type { ActivitySlotInfo, CustomSlotSupplier, SlotPermit } from '@temporalio/worker';
import type { Permit, SlotPool } from '../activities/agent/slot-pool.js';

/** The SDK hands the permit back as the object it was given; ours rides on it. */
interface OurPermit extends SlotPermit {
  ours: Permit;
}

const oursOf = (permit: SlotPermit): Permit => (permit as OurPermit).ours;

/** Lets one queue's worker poll when the agent's common pool says so. */
export function slotSupplier(pool: SlotPool, taskQueue: string): CustomSlotSupplier<ActivitySlotInfo> {
  return {
    type: 'custom',
    async reserveSlot(_context, signal) {
      return { ours: await pool.reserve(taskQueue, signal) };
    },
    // Eager activities come with workflow tasks; an agent runs no workflows.
    tryReserveSlot: () => null,
    markSlotUsed: ({ permit }) => pool.use(oursOf(permit)),
    releaseSlot: ({ permit }) => pool.release(oursOf(permit)),
  };
}
