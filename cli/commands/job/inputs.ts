import type { Command } from 'commander';
import { DavitError } from '../../../domain/errors.js';
import type { Api } from '../../../client/index.js';
import { addConnectOptions, connect } from '../../connect.js';
import type { ConnectOptions } from '../../connect.js';
import { inputsFrom } from '../../job-inputs.js';
import { jobPath, jobReference, pathWords } from '../../job-reference.js';
import { Output } from '../../output/output.js';
import { collect } from '../collect.js';

export function defineJobInputs(command: Command): void {
  addConnectOptions(command.argument('<job>', `${jobReference}, with or without :version or :alias`))
    .description('say what the inputs of a version must be; launches that do not fit are refused')
    .option('--schema <file>', 'JSON Schema of wandb.config, as JSON or YAML')
    .option('--file-schema <path=file>', 'JSON Schema of a file that the program reads; may be repeated', collect)
    .option('--none', 'take back what was said')
    .option('--json', 'as JSON')
    .addHelpText('after', '\n  davit job inputs flowers/iris --schema schema.json')
    .action(async (reference: string, options: InputOptions) => {
      const inputs = options.none === true ? {} : inputsFrom(options.schema, options.fileSchema);
      if (inputs === undefined) throw new DavitError('wrong-usage', 'Say --schema, --file-schema or --none.');
      const api = connect(options);
      const { path, version } = await jobPath(reference, api);
      const { data } = await api.client.PUT(
        '/entities/{entity}/projects/{project}/jobs/{job}/versions/{version}/inputs',
        { params: { path: { ...path, version } }, body: inputs satisfies Api<'JobInputs'> },
      );
      const warnings = data?.warnings ?? [];
      new Output(options.json === true).result({ ...path, version, inputs, warnings }, () =>
        [`The inputs of ${pathWords(path)}:${version} are said.`, ...warnings.map((one) => `warning: ${one}`)].join(
          '\n',
        ),
      );
    });
}

interface InputOptions extends ConnectOptions {
  schema?: string;
  fileSchema?: string[];
  none?: boolean;
  json?: boolean;
}
