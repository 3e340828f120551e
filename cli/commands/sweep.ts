import type { Command } from 'commander';
import { defineSweepChanges } from './sweep/changes.js';
import { defineSweepList } from './sweep/list.js';
import { defineSweepShow } from './sweep/show.js';

export function defineSweep(command: Command): void {
  defineSweepList(command.command('list', { isDefault: true }));
  defineSweepShow(command.command('show'));
  defineSweepChanges(command);
}
