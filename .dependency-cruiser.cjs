/** The arrows of the layout: who may import whom. `npm run check` fails on any other. */
const only = (name, from, to, comment) => ({
  name,
  severity: 'error',
  comment,
  from: { path: from },
  to: {
    path: '^(domain|workflows|activities|sources|targets|builders|workers|store|telemetry|api|client|cli|web|test|bench|scripts)/',
    pathNot: to,
  },
});
module.exports = {
  forbidden: [
    only('domain-is-pure', '^domain/', '^domain/', 'The rules know nothing of the machinery.'),
    {
      name: 'domain-imports-only-zod',
      severity: 'error',
      from: { path: '^domain/' },
      to: { pathNot: ['^domain/', 'node_modules/zod'], dependencyTypesNot: ['core'] },
    },
    only(
      'workflows-only-wire',
      '^workflows/',
      '^(workflows/|domain/|activities/contract)',
      'Workflow code sees the rules and the contract (types) of activities only.',
    ),
    only(
      'control-has-the-store',
      '^activities/control/',
      '^(activities/(control/|contract)|domain/|store/|workflows/)',
      'Control activities have the store, never targets.',
    ),
    only(
      'agent-has-targets',
      '^activities/agent/',
      '^(activities/(agent/|contract)|domain/|sources/|targets/|builders/|client/)',
      'An agent never touches the store.',
    ),
    only(
      'targets-know-the-rules-only',
      '^(targets|builders)/',
      '^(targets|builders|domain)/',
      'A target depends on nothing but the rules.',
    ),
    only('sources-know-the-rules-only', '^sources/', '^(sources|domain)/', 'Code is fetched for whoever wants it.'),
    only('store-knows-the-rules-only', '^store/', '^(store|domain)/', 'The store depends on nothing but the rules.'),
    only(
      'telemetry-knows-the-rules-only',
      '^telemetry/',
      '^(telemetry|domain)/',
      'What is measured and traced is told to it.',
    ),
    {
      name: 'opentelemetry-in-one-file',
      severity: 'error',
      comment: 'Who sends no traces loads none of it.',
      from: { pathNot: '^(telemetry/opentelemetry|test/)' },
      to: { path: 'node_modules/@opentelemetry/' },
    },
    only('client-is-generated', '^client/', '^client/', 'The client stands alone.'),
    only(
      'api-reaches-workflows-by-messages',
      '^api/',
      '^(api/|domain/|sources/|store/|telemetry/|workflows/(messages|ids|search-attributes))',
      'The API speaks to workflows by message only.',
    ),
    only(
      'agent-worker-has-no-store',
      '^workers/agent',
      '^(workers|domain|telemetry|activities/(agent|contract)|sources|targets|builders|client|workflows/(messages|ids))',
      'Agents dial out and hold no workflow code.',
    ),
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|node_modules)/' },
    tsPreCompilationDeps: 'specify',
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.mjs'] },
  },
};
