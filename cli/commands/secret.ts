import type { Command } from 'commander';
import { defineSecretAllow, defineSecretDisallow } from './secret/allow.js';
import { defineSecretDelete } from './secret/delete.js';
import { defineSecretKeys, defineSecretNewKey, defineSecretReseal } from './secret/keys.js';
import { defineSecretList } from './secret/list.js';
import { defineSecretSet } from './secret/set.js';
import { defineSecretShow } from './secret/show.js';

export function defineSecret(command: Command): void {
  defineSecretList(command.command('list', { isDefault: true }));
  defineSecretShow(command.command('show'));
  defineSecretSet(command.command('set'));
  defineSecretDelete(command.command('delete'));
  defineSecretAllow(command.command('allow'));
  defineSecretDisallow(command.command('disallow'));
  defineSecretKeys(command.command('keys'));
  defineSecretReseal(command.command('reseal'));
  defineSecretNewKey(command.command('new-key'));
}
