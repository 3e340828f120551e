/** The only entry of the workflow bundle. */
export { launch } from './launch.js';
export { line } from './line.js';
export { queue } from './queue.js';
