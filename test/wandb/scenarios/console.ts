import { expect } from 'vitest';
import { readConsole } from '../../../store/run-lines.js';
import { runIn } from './stored.js';
import type { Scenario } from './scenario.js';

const printing = `
import sys, time, wandb
run = wandb.init(id="printer")
print("plain line")
print("error line", file=sys.stderr, flush=True)
time.sleep(0.2)
print("two\\nlines in one")
print("\\x1b[31mred\\x1b[0m and \\x1b[1mbold\\x1b[0m")
print("umlaut ä, check ✓, astral 🚀")
for i in range(101):
    sys.stdout.write("\\rprogress %d%%" % i); sys.stdout.flush()
    if i % 20 == 0: time.sleep(0.3)
sys.stdout.write("\\n")
print("x" * 20000)
print()
print("last line", end="")
run.log({"loss": 1})
run.finish()
`;

/** Bytes that are no text: past Python's text layer, through it, and a zero, which databases do not like. */
const bytes = `
import os, sys, wandb
life = os.environ["LIFE"]
run = wandb.init(id="bytes", resume="allow")
print("begin of", life)
sys.stdout.buffer.write(b"broken \\xff\\xfe of " + life.encode() + b"\\n")
sys.stdout.buffer.flush()
print("nul \\x00 of", life)
print("lone \\udcff of", life)
print("end of", life)
run.log({"loss": 1})
run.finish()
`;

export const consoleScenarios: Scenario[] = [
  {
    name: 'console',
    promise:
      'What a program prints is kept line by line: errors marked, a progress bar as its last state, colours, long lines.',
    async run({ api, project, python }) {
      const result = await python(printing);
      expect(
        result.complaints.filter((line) => !line.endsWith('error line')),
        result.output.slice(-3000),
      ).toEqual([]);
      const run = await runIn(api, project, 'printer');
      const lines = await readConsole(api.db, run.id, { limit: 1000 });
      // eslint-disable-next-line no-control-regex -- colours are control characters
      const texts = lines.map((line) => line.text.replace(/\x1b\[[0-9;]*m/g, ''));
      expect(texts).toEqual(
        expect.arrayContaining(['plain line', 'error line', 'two', 'lines in one', 'red and bold']),
      );
      expect(texts).toContain('umlaut ä, check ✓, astral 🚀');
      expect(texts.filter((text) => text.startsWith('progress'))).toEqual(['progress 100%']);
      // The client's own terminal cuts or wraps what is longer than it is wide.
      expect(texts.some((text) => /^x{1000,}/.test(text))).toBe(true);
      expect(texts.some((text) => text.startsWith('last line'))).toBe(true);
      expect(lines.find((line) => line.text.includes('error line'))?.level).toBe('error');
      expect(lines.find((line) => line.text.includes('plain line'))).toMatchObject({ level: 'info' });
      expect(lines.every((line) => line.text === '' || line.timestamp !== undefined)).toBe(true);
    },
  },
  {
    name: 'console-of-bytes',
    promise:
      'Bytes that are no text cost no line but their own, in this process and in one that resumes: each line is there once, in the order in which it was printed.',
    async run({ api, project, python }) {
      const env = { PYTHONIOENCODING: 'utf-8:surrogateescape' };
      for (const life of ['one', 'two']) await python(bytes, { env: { ...env, LIFE: life } });
      const run = await runIn(api, project, 'bytes');
      expect(run).toMatchObject({ state: 'finished', historyLines: 2 });
      const lines = (await readConsole(api.db, run.id, { limit: 1000 })).map((line) => line.text.trim());
      const words = lines.flatMap((line) => /^(\w+) .*of (?:one|two)$/.exec(line)?.[1] ?? []);
      // No client sends bytes that are no text, and not all of them send half a character: those lines may be missing.
      const whole = words.filter((word) => !['broken', 'lone'].includes(word));
      expect(whole, lines.join('\n')).toEqual(['begin', 'nul', 'end', 'begin', 'nul', 'end']);
      for (const word of ['broken', 'lone']) expect(words.filter((one) => one === word).length).toBeLessThanOrEqual(2);
    },
  },
  {
    name: 'console-from-outside',
    promise: 'The public API reads the console of a run: all of it in order, and only its last lines.',
    unavailable: Object.fromEntries(
      (['0.19.11', '0.22.3', '0.25.1', '0.28.2'] as const).map((version) => [
        version,
        'Run.console_logs() came with 0.29',
      ]),
    ),
    async run({ python }) {
      const result = await python(`
import os, sys, wandb
run = wandb.init(id="many")
for i in range(2500): print("line", i)
print("an error", file=sys.stderr)
run.finish()
found = wandb.Api().run(os.environ["WANDB_PROJECT"] + "/many")
lines = list(found.console_logs())
texts = [line.content for line in lines]
start = texts.index("line 0")
assert texts[start:start + 2500] == ["line %d" % i for i in range(2500)], len(texts)
assert [line.number for line in lines] == list(range(len(lines)))
assert all(line.timestamp is not None and line.timestamp.tzinfo is not None for line in lines if line.content), lines[:3]
tail = [line.content for line in found.console_logs(last=50)]
assert tail == texts[-50:], tail
assert {line.level for line in lines} == {"", "error"}, {line.level for line in lines}
assert [line.level for line in lines if line.content == "an error"] == ["error"]
`);
      expect(
        result.complaints.filter((line) => !line.endsWith('an error')),
        result.output,
      ).toEqual([]);
    },
  },
];
