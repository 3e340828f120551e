// Reads what lib/profiler.cjs wrote.

/** Self time of a V8 CPU profile, by package and by folder of ours, the largest first. */
export function selfTimes({ nodes, samples, timeDeltas }) {
  const places = new Map();
  const byId = new Map(nodes.map((node) => [node.id, node]));
  let wholeMs = 0;
  samples.forEach((id, i) => {
    const frame = byId.get(id).callFrame;
    if (frame.functionName === '(idle)') return;
    const ms = timeDeltas[i] / 1000;
    wholeMs += ms;
    const place = placeOf(frame);
    places.set(place, (places.get(place) ?? 0) + ms);
  });
  return { wholeMs, places: [...places].sort((a, b) => b[1] - a[1]) };
}

function placeOf({ functionName, url }) {
  // Functions of native modules have names as long as their types.
  if (url === '') return functionName.startsWith('(') ? functionName : `native ${functionName.slice(0, 60)}`;
  const packageName = /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules)/.exec(url)?.[1];
  if (packageName) return packageName;
  const own = /\/dist\/([^/]+(?:\/[^/]+)?)/.exec(url)?.[1];
  if (own) return `dist/${own}`;
  return url.startsWith('node:') ? url.split('/').slice(0, 2).join('/') : url;
}
