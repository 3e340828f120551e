import { createHash } from 'node:crypto';
import { DavitError } from '../../domain/errors.js';
import * as modelClaim from '../../domain/line-model/claim.js';
import { enqueue, type NewLaunch } from '../../domain/line-model/accept.js';
import type { Dice } from '../../domain/line-model/dice.js';
import { leftOf } from '../../domain/line-model/flows.js';
import * as order from '../../domain/line-model/order.js';
import { byPriorityAndRank, launchesOf } from '../../domain/line-model/pick-next.js';
import { protocol } from '../../domain/line-model/protocol.js';
import {
  emptyLines,
  isQueued,
  newQueue,
  putAgent,
  putLaunch,
  putQueue,
  rankGap,
  type AgentRow,
  type LaunchRow,
  type Lines,
  type QueueRow,
} from '../../domain/line-model/rows.js';
import { lineOf } from '../../domain/line-model/world.js';
import { canonicalLabels, type Labels } from '../../domain/requirements.js';
import { isTerminal, priorityOfNumber } from '../../domain/words.js';
import { recordEnd, recordProgress } from '../../store/attempts.js';
import * as operations from '../../store/line-operations.js';
import * as line from '../../store/line.js';
import type { Store } from '../../store/open.js';
import { setQueueProjects, updateQueue } from '../../store/queues.js';
import type { LineFixture } from './line-fixture.js';

/**
 * The line twice: in the database, and in the model. Every operation is done to both, and their answers are compared; `compare` looks at
 * everything else. Only one thing is taken over from the database: the ranks after a move, once the order they make has been compared,
 * because between two neighbours the database puts a launch at a random place.
 */
export class LineTwins {
  lines: Lines = emptyLines;
  readonly queueIds = new Map<string, number>();
  readonly projectIds = new Map<string, number>();
  /** Claims of the model, and what the database calls them. */
  readonly claims: { launch: string; name: string; id: string; incarnation: string }[] = [];
  readonly told: string[] = [];
  private reports = 0;

  constructor(
    private readonly db: Store,
    private readonly fixture: LineFixture,
  ) {}

  async queue(name: string): Promise<void> {
    this.queueIds.set(name, await this.fixture.queue(name));
    this.lines = putQueue(this.lines, newQueue(name));
  }

  async settings(id: string, change: Partial<Omit<QueueRow, 'id' | 'ttl'>>): Promise<void> {
    const queueId = this.idOf(id);
    const { paused, draining, projects, ...settings } = change;
    await updateQueue(this.db, queueId, settings);
    const flags = { ...(paused === undefined ? {} : { paused }), ...(draining === undefined ? {} : { draining }) };
    if (Object.keys(flags).length > 0)
      await this.db.updateTable('queue').set(flags).where('id', '=', queueId).execute();
    if (projects) {
      const rows = Object.entries(projects).map(([name, each]) => ({
        projectId: this.projectIds.get(name) ?? 0,
        ...each,
      }));
      await setQueueProjects(this.db, queueId, rows);
    }
    const row = this.lines.queues.get(id);
    if (row) this.lines = putQueue(this.lines, { ...row, ...change });
  }

  async agent(row: Omit<AgentRow, 'incarnation'>): Promise<void> {
    const { id, incarnation } = await this.fixture.agent(row.id);
    this.lines = putAgent(this.lines, { ...row, incarnation });
    await this.agentFlags(row.id, row);
    await this.db
      .updateTable('agent')
      .set({ labels: JSON.stringify(row.labels) })
      .where('id', '=', id)
      .execute();
  }

  async agentFlags(id: string, { draining, quarantined }: Pick<AgentRow, 'draining' | 'quarantined'>): Promise<void> {
    await this.db
      .updateTable('agent')
      .set({
        wanted: draining ? 'draining' : 'active',
        quarantined_at: quarantined ? new Date() : null,
        probe_after: null,
      })
      .where('id', '=', `agent-${id}`)
      .execute();
    const row = this.lines.agents.get(id);
    if (row) this.lines = putAgent(this.lines, { ...row, draining, quarantined });
  }

  async enqueue(asked: Omit<NewLaunch, 'id' | 'ttl'>): Promise<void> {
    const answer = await outcomeOf(() =>
      this.fixture.enqueue(asked.queue, {
        project: asked.project,
        job: this.fixture.job,
        priority: priorityOfNumber(asked.priority),
        requires: asked.requires,
        hold: asked.held,
      }),
    );
    const id = answer.refused ?? answer.value;
    const model = enqueue(this.lines, { ...asked, id, ttl: null });
    this.lines = model.lines;
    this.agree('enqueue', answer.refused ?? 'accepted', model.outcome);
    if (answer.value !== undefined) await this.atTheEnd('acceptance', answer.value);
  }

  async claim(call: { queue: string; requires: Labels; ticket: string; ticketAttempt: number; agent: string }) {
    const incarnation = this.lines.agents.get(call.agent)?.incarnation ?? '';
    const real = await line.claim(this.db, {
      queueId: this.idOf(call.queue),
      class: classOf(call.requires),
      ticket: call.ticket,
      ticketAttempt: call.ticketAttempt,
      agentId: `agent-${call.agent}`,
      incarnation,
      privateQueue: 'private',
      place: 'here',
    });
    const model = modelClaim.claim(protocol, this.lines, { ...call, incarnation });
    const modelLeft = leftOf(model.lines, lineOf(call));
    const { answer } = model;
    this.lines = model.lines;
    const launch = (each: object): string => ('launchId' in each ? String(each.launchId) : '');
    this.agree(
      `claim of ${call.agent} in ${call.queue} with ${call.ticket}/${call.ticketAttempt}`,
      `${real.outcome} ${launch(real)}`,
      `${answer.outcome} ${answer.outcome === 'granted' ? answer.launch : ''}`,
    );
    // An agent that takes nothing is told 0 or what is left for others; both are right.
    if (answer.outcome === 'granted' || answer.outcome === 'limited') this.agree('left', real.left, modelLeft);
    if (real.outcome === 'granted' && answer.outcome === 'granted')
      this.claims.push({ launch: real.launchId, name: answer.claim, id: real.claim, incarnation });
  }

  async underClaim(
    what: 'confirm' | 'submit' | 'running' | 'give-back' | 'take-back' | 'end',
    claim: LineTwins['claims'][number],
    nextAttempt: boolean,
  ): Promise<void> {
    const { launch, name, id, incarnation } = claim;
    const said = `${what} of ${launch} under ${name}`;
    switch (what) {
      case 'confirm': {
        const model = modelClaim.confirm(protocol, this.lines, launch, name, incarnation);
        this.lines = model.lines;
        return this.agree(said, await line.confirm(this.db, launch, id, incarnation), model.ok);
      }
      case 'submit': {
        const model = modelClaim.maySubmit(protocol, this.lines, launch, name);
        this.lines = model.lines;
        const report = { launchId: launch, claim: id, n: ++this.reports, state: 'submitting' } as const;
        return this.agree(said, await recordProgress(this.db, report), model.ok);
      }
      case 'running': {
        // Not before it was allowed to submit.
        if (this.lines.launches.get(launch)?.state !== 'submitting') return;
        await recordProgress(this.db, { launchId: launch, claim: id, n: ++this.reports, state: 'running' });
        this.lines = modelClaim.reportRunning(protocol, this.lines, launch, name);
        return;
      }
      case 'give-back':
      case 'take-back': {
        const call = { unconfirmedOnly: what === 'give-back', nextAttempt: what === 'take-back' && nextAttempt };
        const model = modelClaim.giveBack(protocol, this.lines, { launch, claim: name, ...call });
        this.lines = model.lines;
        const real = await line.giveBack(this.db, { launchId: launch, claim: id, ...call, reason: 'test' });
        return this.agree(said, real, model.ok);
      }
      case 'end': {
        const model = modelClaim.recordEnd(protocol, this.lines, launch, name, 'stopped');
        this.lines = model.lines;
        return this.agree(said, (await recordEnd(this.db, launch, id, { kind: 'stopped' })).recorded, model.ok);
      }
    }
  }

  async cancel(launch: string): Promise<void> {
    const model = modelClaim.cancel(protocol, this.lines, launch);
    this.lines = model.lines;
    this.agree(`cancel of ${launch}`, await line.cancel(this.db, launch, 'ada', { code: 'cancelled' }), model.state);
  }

  async expire(launch: string): Promise<void> {
    const row = this.lines.launches.get(launch);
    if (!row) return;
    const model = order.expire(protocol, putLaunch(this.lines, { ...row, expiresAt: 0 }), launch);
    if (model.outcome === 'done') this.lines = model.lines;
    const failure = { code: 'expired', stage: 'enqueue', fault: 'user', message: 'It waited too long.' } as const;
    const real = await operations.endWaiting(this.db, launch, 'davit', failure as never);
    this.agree(`expiry of ${launch}`, real, model.outcome === 'done');
  }

  hold = (launch: string) =>
    this.operate(`hold ${launch}`, launch, order.hold(this.lines, launch, 'user', null), () =>
      operations.hold(this.db, launch, { by: 'ada', cause: 'user' }),
    );
  release = (launch: string) =>
    this.operate(`release ${launch}`, launch, order.release(this.lines, launch), () =>
      operations.release(this.db, launch, 'ada'),
    );
  reprioritise = (launch: string, priority: number) =>
    this.operate(`${launch} to priority ${priority}`, launch, order.reprioritise(this.lines, launch, priority), () =>
      operations.reprioritise(this.db, launch, priorityOfNumber(priority), 'ada'),
    );
  async transfer(launch: string, queue: string): Promise<void> {
    const was = this.lines.launches.get(launch)?.queue;
    const said = `transfer ${launch} to ${queue}`;
    const model = order.transfer(this.lines, launch, queue);
    await this.operate(said, launch, model, () => operations.transfer(this.db, launch, this.idOf(queue), 'ada'));
    if (model.outcome === 'done' && was !== queue) await this.atTheEnd(said, launch);
  }

  /** Whoever comes is behind everybody of its queue, of whatever priority; how far behind, the database says. */
  private async atTheEnd(said: string, launch: string): Promise<void> {
    const row = this.lines.launches.get(launch);
    const { rank } = await this.db
      .selectFrom('launch')
      .select('rank')
      .where('id', '=', launch)
      .executeTakeFirstOrThrow();
    if (!row) return;
    const others = launchesOf(this.lines, row.queue).filter(({ id, state }) => id !== launch && !isTerminal(state));
    const ahead = others.filter((each) => each.rank < Number(rank));
    this.agree(`launches before ${launch} after ${said}`, ahead.length, others.length);
    this.putRank(row, Number(rank));
  }

  async move(launch: string, place: order.Place): Promise<void> {
    const before = this.lines;
    const said = `move ${launch} ${JSON.stringify(place)}`;
    const model = order.move(before, launch, place);
    await this.operate(said, launch, model, () => operations.move(this.db, launch, place, 'ada'));
    if (model.outcome === 'done') await this.takeRanksOver(said, launch, before);
  }

  /** Everybody but the moved one keeps the order among themselves, held and taken launches too. */
  private async takeRanksOver(said: string, moved: string, before: Lines): Promise<void> {
    const row = this.lines.launches.get(moved);
    if (!row) return;
    const isNear = (each: LaunchRow): boolean => each.priority === row.priority && !isTerminal(each.state);
    const ids = launchesOf(before, row.queue)
      .filter(isNear)
      .sort(byPriorityAndRank)
      .map(({ id }) => id);
    const ranks = await this.db.selectFrom('launch').select(['id', 'rank']).where('id', 'in', ids).execute();
    const rankOf = new Map(ranks.map(({ id, rank }) => [id, Number(rank)]));
    const sorted = [...rankOf].sort(([a, x], [b, y]) => x - y || (a < b ? -1 : 1)).map(([id]) => id);
    const others = (list: readonly string[]): string => list.filter((id) => id !== moved).join(' ');
    this.agree(`order of the others after ${said}`, others(sorted), others(ids));
    for (const [id, rank] of rankOf) {
      const each = this.lines.launches.get(id);
      if (each) this.putRank(each, rank);
    }
  }

  /** The model goes on to draw ranks behind those of the database. */
  private putRank(row: LaunchRow, rank: number): void {
    const ranks = Math.max(this.lines.ranks, Math.ceil(rank / rankGap));
    this.lines = { ...putLaunch(this.lines, { ...row, rank }), ranks };
  }

  private async operate(
    said: string,
    launch: string,
    model: order.MovedOutcome,
    work: () => Promise<operations.LineAnswer>,
  ): Promise<void> {
    const answer = await outcomeOf(work);
    this.lines = model.lines;
    const expected =
      model.outcome === 'refused'
        ? model.code
        : model.outcome === 'done'
          ? `done ${order.positionOf(model.lines, launch) ?? 'held'}`
          : `not-waiting ${model.state}`;
    const { value, refused } = answer;
    const real =
      refused ??
      (value?.outcome === 'done' ? `done ${value.position ?? 'held'}` : `not-waiting ${value?.state ?? 'nothing'}`);
    this.agree(said, real, expected);
  }

  /** Every launch's state and place, the counts, and some positions. */
  async compare(dice: Dice): Promise<void> {
    const rows = await this.db
      .selectFrom('launch')
      .select(['id', 'state', 'epoch', 'attempt', 'hold', 'priority', 'rank', 'queue_id'])
      .execute();
    const real = new Map(rows.map((row) => [row.id, row]));
    for (const [id, model] of this.lines.launches) {
      const row = real.get(id);
      const said = [row?.state, row?.epoch, row?.attempt, row?.hold, row?.priority, row?.queue_id].join(' ');
      const expected = [model.state, model.epoch, model.attempt, model.hold, model.priority, this.idOf(model.queue)];
      this.agree(`row of ${id}`, said, expected.join(' '));
    }
    for (const [name, queueId] of this.queueIds) {
      const waiting = launchesOf(this.lines, name).filter((row) => isQueued(row) && row.hold === null);
      const counts = await line.countsOfLine(this.db, queueId);
      this.agree(`counts of ${name}`, JSON.stringify(counts), JSON.stringify(order.countsOf(this.lines, name)));
      for (let n = 0; n < 4; n++) {
        const row = dice.oneOf(waiting);
        if (!row) break;
        const position = await line.positionOf(this.db, row.id);
        this.agree(`position of ${row.id} in ${name}`, position, order.positionOf(this.lines, row.id));
      }
    }
  }

  fold = (): Promise<number> => line.foldCounters(this.db);

  private idOf(queue: string): number {
    return this.queueIds.get(queue) ?? 0;
  }

  private agree(what: string, real: unknown, model: unknown): void {
    if (!/^(row|counts|position) of/.test(what)) this.told.push(`${what}: ${String(model)}`);
    if (real === model) return;
    throw new Error(
      `${what}: the database says "${String(real)}", the model "${String(model)}". Before it:\n  ${this.told.slice(-16).join('\n  ')}`,
    );
  }
}

type Outcome<T> = { value: T; refused: undefined } | { value: undefined; refused: string };
async function outcomeOf<T>(work: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return { value: await work(), refused: undefined };
  } catch (error) {
    if (error instanceof DavitError) return { value: undefined, refused: error.code };
    throw error;
  }
}

const classOf = (requires: Labels): string => {
  const text = canonicalLabels(requires);
  return text === '' ? '' : createHash('sha256').update(text).digest('hex').slice(0, 12);
};
