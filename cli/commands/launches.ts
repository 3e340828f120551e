import type { Command } from 'commander';
import { defineBulk } from './launches/bulk.js';
import { defineCancel } from './launches/cancel.js';
import { defineHold, defineRelease } from './launches/hold.js';
import { defineList } from './launches/list.js';
import { defineLogs } from './launches/logs.js';
import { defineMove } from './launches/move.js';
import { definePriority } from './launches/priority.js';
import { defineRelaunch } from './launches/relaunch.js';
import { defineRetry } from './launches/retry.js';
import { defineShow } from './launches/show.js';
import { defineTransfer } from './launches/transfer.js';
import { defineWatch } from './launches/watch.js';

export function defineLaunches(command: Command): void {
  defineList(command.command('list'));
  defineShow(command.command('show'));
  defineWatch(command.command('watch'));
  defineLogs(command.command('logs'));
  command.commandsGroup('What waits:');
  defineHold(command.command('hold'));
  defineRelease(command.command('release'));
  defineMove(command.command('move'));
  definePriority(command.command('priority'));
  defineTransfer(command.command('transfer'));
  command.commandsGroup('Ends and new beginnings:');
  defineCancel(command.command('cancel'));
  defineRetry(command.command('retry'));
  defineRelaunch(command.command('relaunch'));
  command.commandsGroup('Work on many:');
  defineBulk(command.command('bulk'));
}
