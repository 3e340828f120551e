import type { Command } from 'commander';
import { defineQueueCreate } from './queue/create.js';
import { defineQueueDelete } from './queue/delete.js';
import { defineQueueList } from './queue/list.js';
import { defineQueueOperations } from './queue/operations.js';
import { defineQueueSet } from './queue/set.js';
import { defineQueueShow } from './queue/show.js';
import { defineQueueTop } from './queue/top.js';

export function defineQueue(command: Command): void {
  defineQueueTop(command.command('top'));
  defineQueueList(command.command('list'));
  defineQueueShow(command.command('show'));
  defineQueueCreate(command.command('create'));
  defineQueueSet(command.command('set'));
  defineQueueOperations(command);
  defineQueueDelete(command.command('delete'));
}
