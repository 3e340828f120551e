import { z } from 'zod';
import { DavitError } from '../../domain/errors.js';
import { isJsonObject, parseExtendedJson } from '../../domain/extended-json.js';
import type { LineFile } from '../../store/run-lines.js';
import type { StreamMessage } from '../../store/run-stream.js';
import { wandbLimits } from './deps.js';

/** One file-stream body. Loose on purpose: clients of many versions send keys that mean nothing here (`dropped`, `failed`). */
const bodySchema = z.object({
  files: z
    .record(
      z.string(),
      z.object({ offset: z.int().min(0).max(2_000_000_000).default(0), content: z.array(z.string()) }),
    )
    .nullish(),
  uploaded: z.array(z.string()).nullish(),
  preempting: z.boolean().nullish(),
  complete: z.boolean().nullish(),
  exitcode: z.number().nullish(),
});

const lineFiles: Record<string, LineFile> = {
  'wandb-history.jsonl': 'history',
  'wandb-events.jsonl': 'events',
  'output.log': 'log',
};
const summaryFile = 'wandb-summary.json';

export interface StreamRequest {
  message: StreamMessage;
  uploaded: string[];
}

export function readStreamBody(body: unknown): StreamRequest {
  const parsed = bodySchema.safeParse(body ?? {});
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new DavitError(
      'invalid-request',
      `The file stream cannot be read: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}.`,
    );
  }
  const { files, uploaded, preempting, complete, exitcode } = parsed.data;
  const lines: StreamMessage['lines'] = [];
  let summary: string | undefined;
  for (const [name, { offset, content }] of Object.entries(files ?? {})) {
    // Characters, not bytes: never more than the bytes, and the body has its own limit.
    if (content.some((line) => line.length > wandbLimits.lineBytes))
      throw new DavitError('body-too-large', `A line of ${name} is longer than ${wandbLimits.lineBytes} bytes.`);
    const file = lineFiles[name];
    if (file) lines.push({ file, offset, lines: content });
    else if (name === summaryFile) summary = content.findLast(isObjectText) ?? summary;
    // Other names carry nothing that Davit keeps as lines; refusing would end the whole stream.
  }
  return {
    message: {
      lines,
      preempting: preempting === true,
      complete: complete === true,
      ...(summary === undefined ? {} : { summary }),
      // Windows has codes above 2^31; what counts is zero or not.
      ...(typeof exitcode === 'number' ? { exitCode: exitcode | 0 } : {}),
    },
    uploaded: uploaded ?? [],
  };
}

/** A summary that is no object would hide the last good one. */
function isObjectText(text: string): boolean {
  try {
    return isJsonObject(parseExtendedJson(text));
  } catch {
    return false;
  }
}
