import { parseRunOrder, type RunOrder } from '../../../domain/run-filter-keys.js';
import { parseRunFilter, type RunFilter } from '../../../domain/run-filter.js';
import { findRuns, type RunPage } from '../../../store/run-query.js';
import type { Context, ProjectScope, RunParent } from '../context.js';

interface RunsArgs {
  filters?: string | null;
  after?: string | null;
  first?: number | null;
  order?: string | null;
}

const longestPage = 1000;

/** A page of the project's runs, as every connection of runs shows it. */
export async function runs(p: ProjectScope, args: RunsArgs, context: Context) {
  const { rows, hasNextPage } = await pageOfRuns(p, args, context);
  const edges = rows.map(({ row, cursor }) => ({ node: { ...row, scope: p } satisfies RunParent, cursor }));
  return {
    edges,
    pageInfo: { endCursor: edges.at(-1)?.cursor ?? null, hasNextPage },
    totalCount: () => runCount(p, args, context),
  };
}

function pageOfRuns(p: ProjectScope, args: RunsArgs, context: Context): Promise<RunPage> {
  const order = parseRunOrder(args.order);
  const look = lookOf(p, args.filters, context);
  const limit = Math.min(Math.max(args.first ?? 50, 1), longestPage);
  return new Promise((resolve, reject) => {
    look.pages.push({ order, after: args.after || undefined, limit, resolve, reject });
  });
}

export function runCount(p: ProjectScope, args: { filters?: string | null }, context: Context): Promise<number> {
  const look = lookOf(p, args.filters, context);
  return new Promise((resolve, reject) => {
    look.counts.push({ resolve, reject });
  });
}

/** The client asks for a page and its count side by side: they become one look at the runs. */
interface Look {
  pages: {
    order: RunOrder;
    after: string | undefined;
    limit: number;
    resolve(page: RunPage): void;
    reject(error: unknown): void;
  }[];
  counts: { resolve(count: number): void; reject(error: unknown): void }[];
}
const looks = new WeakMap<Context, Map<string, Look>>();

function lookOf(p: ProjectScope, text: string | null | undefined, context: Context): Look {
  const filter = parseRunFilter(text);
  let own = looks.get(context);
  if (!own) looks.set(context, (own = new Map<string, Look>()));
  const key = `${p.id} ${text ?? ''}`;
  const waiting = own.get(key);
  if (waiting) return waiting;
  const look: Look = { pages: [], counts: [] };
  own.set(key, look);
  const all = own;
  // After all fields beside this one have asked.
  setImmediate(() => {
    all.delete(key);
    void answer(context, p.id, filter, look);
  });
  return look;
}

async function answer({ db }: Context, projectId: number, filter: RunFilter | undefined, look: Look): Promise<void> {
  const [first, ...others] = look.pages;
  const counted = look.counts.length > 0;
  try {
    const found = await findRuns(
      db,
      { projectId, filter },
      { ...(first ? { page: first } : {}), ...(counted ? { count: true } : {}) },
    );
    if (first && found.page) first.resolve(found.page);
    for (const each of look.counts) each.resolve(found.count ?? 0);
  } catch (error) {
    for (const each of [...(first ? [first] : []), ...look.counts]) each.reject(error);
  }
  // The same runs twice in one document: nobody does that but those who try us out.
  for (const page of others) {
    try {
      const { page: found } = await findRuns(db, { projectId, filter }, { page });
      page.resolve(found ?? { rows: [], hasNextPage: false });
    } catch (error) {
      page.reject(error);
    }
  }
}
