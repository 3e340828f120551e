import type { Command } from 'commander';
import { defineKeysCreate } from './keys/create.js';
import { defineKeysList } from './keys/list.js';
import { defineKeysRevoke } from './keys/revoke.js';

export function defineKeys(command: Command): void {
  defineKeysList(command.command('list', { isDefault: true }));
  defineKeysCreate(command.command('create'));
  defineKeysRevoke(command.command('revoke'));
}
