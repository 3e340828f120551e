import { condition, defineSignal, setCurrentDetails, setHandler } from '@temporalio/workflow';
import type { LaunchChange } from '../domain/operations.js';
import { control } from './control.js';

const names: readonly LaunchChange[] = ['move', 'hold', 'release', 'priority'];

/**
 * Lets a waiting launch be moved, held, released and reprioritised by a signal to its workflow. The change happens in the store, as over REST;
 * what came of it stands in the workflow's current details. A message that cannot be obeyed is answered there too and fails nothing.
 */
export function obeyChanges(launchId: () => string | undefined): void {
  let last = Promise.resolve();
  for (const name of names) {
    setHandler(defineSignal<[unknown]>(name), (argument) => {
      // One after another: a hold and a release that came in this order must not overtake each other.
      last = last.then(async () => {
        await condition(() => launchId() !== undefined);
        const { said } = await control.change({
          launchId: launchId() ?? '',
          change: name,
          argument,
          actor: 'temporal',
        });
        setCurrentDetails(said);
      });
    });
  }
}
