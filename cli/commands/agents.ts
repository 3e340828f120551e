import type { Command } from 'commander';
import { defineAgentsDelete } from './agents/delete.js';
import { defineAgentsList } from './agents/list.js';
import { defineAgentsOrders } from './agents/orders.js';
import { defineAgentsShow } from './agents/show.js';

export function defineAgents(command: Command): void {
  defineAgentsList(command.command('list', { isDefault: true }));
  defineAgentsShow(command.command('show'));
  defineAgentsOrders(command);
  defineAgentsDelete(command.command('delete'));
}
