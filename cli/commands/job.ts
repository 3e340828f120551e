import type { Command } from 'commander';
import { defineJobAlias } from './job/alias.js';
import { defineJobCreate } from './job/create.js';
import { defineJobDelete } from './job/delete.js';
import { defineJobDiff } from './job/diff.js';
import { defineJobInputs } from './job/inputs.js';
import { defineJobList } from './job/list.js';
import { defineJobShow } from './job/show.js';
import { defineJobVersions } from './job/versions.js';

export function defineJob(command: Command): void {
  defineJobCreate(command.command('create'));
  defineJobList(command.command('list'));
  defineJobShow(command.command('show'));
  defineJobVersions(command.command('versions'));
  defineJobDiff(command.command('diff'));
  defineJobAlias(command.command('alias'));
  defineJobInputs(command.command('inputs'));
  defineJobDelete(command.command('delete'));
}
