import { catalogue, type CatalogueEntry } from '../domain/errors.js';

const whose: Record<CatalogueEntry['fault'], string> = {
  user: 'The request, the job or the set-up: whoever asked can mend it.',
  target: 'The machine or service on which the job runs.',
  platform: 'Davit itself or what it stands on (PostgreSQL, Temporal, the network between them).',
};

/** A page for each code of the catalogue, by file name, with an index. `scripts/error-docs.mjs` writes them. */
export function errorPages(): Map<string, string> {
  const entries = Object.entries<CatalogueEntry>(catalogue).sort(([a], [b]) => (a < b ? -1 : 1));
  const pages = new Map(entries.map(([code, entry]) => [`${code}.md`, pageOf(code, entry)]));
  const rows = entries.map(
    ([code, entry]) => `| [\`${code}\`](${code}.md) | ${entry.status} | ${entry.fault} | ${entry.title} |`,
  );
  pages.set(
    'README.md',
    `# Errors\n\nEvery error of Davit has one of these codes, in the API, in the command line and on a launch. Made from \`domain/errors.ts\`.\n\n| Code | HTTP status | Fault | What happened |\n| --- | --- | --- | --- |\n${rows.join('\n')}\n`,
  );
  return pages;
}

const pageOf = (code: string, entry: CatalogueEntry): string =>
  `# \`${code}\`

${entry.title}

**What to do.** ${entry.fix}

**Whose fault.** ${whose[entry.fault]}

HTTP status when an API call answers with it: ${entry.status}.
`;
