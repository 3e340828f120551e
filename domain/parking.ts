/** When a launch is taken for what breaks its agents: it is put back in its place and held until a person has looked at it. Pure. */

/** An agent that was lost, or let go of the launch, while it held it. */
export interface Loss {
  agentId: string;
  /** Its name. */
  agent: string;
  at: string;
  /** What was seen, without full stop. */
  seen: string;
}

/** Different agents: one bad machine must not park good launches, and is put aside by itself. */
export const parkAfterAgents = 3;
/** And in all, where there are fewer agents than that. */
export const parkAfterLosses = 5;

/** Why a launch with this evidence is parked; undefined: it is not. */
export function parkingReason(losses: readonly Loss[]): string | undefined {
  const agents = new Set(losses.map((loss) => loss.agentId)).size;
  if (agents < parkAfterAgents && losses.length < parkAfterLosses) return undefined;
  const what =
    agents >= parkAfterAgents ? `${agents} different agents were lost` : `Agents were lost ${losses.length} times`;
  const evidence = losses.map(({ agent, at, seen }) => `${agent} at ${clock(at)} (${seen})`).join(', ');
  return `${what} while they held it: ${evidence}. Look at their logs; then release or cancel it.`;
}

const clock = (at: string): string => `${at.slice(0, 10)} ${at.slice(11, 19)} UTC`;
