/** The media type of a file by the end of its name, for those that training jobs really leave behind. */
const types: Record<string, string> = {
  bmp: 'image/bmp',
  csv: 'text/csv',
  flac: 'audio/flac',
  gif: 'image/gif',
  gltf: 'model/gltf+json',
  glb: 'model/gltf-binary',
  gz: 'application/gzip',
  htm: 'text/html',
  html: 'text/html',
  ipynb: 'application/x-ipynb+json',
  jpeg: 'image/jpeg',
  jpg: 'image/jpeg',
  js: 'text/javascript',
  json: 'application/json',
  log: 'text/plain',
  md: 'text/markdown',
  mp3: 'audio/mpeg',
  mp4: 'video/mp4',
  obj: 'model/obj',
  ogg: 'audio/ogg',
  patch: 'text/plain',
  pdf: 'application/pdf',
  png: 'image/png',
  py: 'text/x-python',
  sh: 'text/x-shellscript',
  stl: 'model/stl',
  svg: 'image/svg+xml',
  tar: 'application/x-tar',
  tsv: 'text/tab-separated-values',
  txt: 'text/plain',
  wav: 'audio/wav',
  webm: 'video/webm',
  webp: 'image/webp',
  yaml: 'application/yaml',
  yml: 'application/yaml',
  zip: 'application/zip',
};

export function mediaTypeOf(fileName: string): string | undefined {
  const extension = /\.([A-Za-z0-9]+)$/.exec(fileName)?.[1]?.toLowerCase() ?? '';
  return Object.hasOwn(types, extension) ? types[extension] : undefined;
}

/** Types that a browser shows and never runs. */
const inert = /^(image\/(?!svg)|audio\/|video\/)|^(application\/json|text\/plain)$/;

/** What to send a stored file as: its own type when that can do no harm, else as bytes. */
export function servedMediaType(fileName: string): string {
  const type = mediaTypeOf(fileName) ?? '';
  if (!inert.test(type)) return 'application/octet-stream';
  return type.startsWith('text/') ? `${type}; charset=utf-8` : type;
}
