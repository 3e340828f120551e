import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';

/** A program in a terminal of its own, of a given size: what it writes, what is on the screen, and keys for it. */
export class PseudoTerminal {
  #output = '';
  readonly exited: Promise<number>;

  private constructor(readonly process: ChildProcess) {
    process.stdout?.on('data', (chunk: Buffer) => (this.#output += chunk.toString('utf8')));
    process.stderr?.on('data', (chunk: Buffer) => (this.#output += chunk.toString('utf8')));
    this.exited = new Promise((resolve) => process.once('close', (code) => resolve(code ?? 128)));
  }

  static start(
    command: readonly string[],
    options: { env: NodeJS.ProcessEnv; columns?: number; rows?: number },
  ): PseudoTerminal {
    const { env, columns = 80, rows = 24 } = options;
    const child = spawn('python3', ['-c', program, String(columns), String(rows), ...command], {
      env: { ...env, TERM: 'xterm-256color' },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    return new PseudoTerminal(child);
  }

  get output(): string {
    return this.#output;
  }

  type(keys: string): void {
    this.process.stdin?.write(keys);
  }

  /** As when somebody pulls at the window's corner. */
  resize(columns: number, rows: number): void {
    this.process.stdin?.write(`\u0000${columns} ${rows}\n`);
  }

  /** Sends a signal to the program, not to the terminal. */
  signal(name: NodeJS.Signals): void {
    this.process.stdin?.write(`\u0000${name}\n`);
  }

  /** The last whole frame that a live view drew, without colours. */
  frame(): string[] {
    const frames = this.#output.split('\u001b[?2026h\u001b[H').slice(1);
    const whole =
      frames
        .filter((frame) => frame.includes('\u001b[?2026l'))
        .at(-1)
        ?.split('\u001b[J')[0] ?? '';
    return withoutColours(whole)
      .split(/\r*\n/)
      .map((line) => line.replace('\u001b[K', ''));
  }

  /** What was printed, without colours and without the moves of the cursor. */
  text(): string {
    return withoutColours(this.#output).replaceAll('\r\n', '\n');
  }
}

// eslint-disable-next-line no-control-regex -- colours.
const withoutColours = (text: string): string => text.replace(/\u001b\[[\d;]*m/g, '');

/** A line that begins with NUL is for the terminal itself: a size, or a signal for the program. */
const program = `
import fcntl, os, pty, select, signal, struct, sys, termios
columns, rows, command = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
pid, master = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))
    os.execvp(command[0], command)
pending = b''
watched = [0, master]
while True:
    ready, _, _ = select.select(watched, [], [])
    if 0 in ready:
        data = os.read(0, 65536)
        if not data:
            watched.remove(0)
        pending += data
        while pending:
            if pending[:1] != b'\\0':
                keys, nul, rest = pending.partition(b'\\0')
                os.write(master, keys)
                pending = nul + rest
            elif b'\\n' in pending:
                line, _, pending = pending[1:].partition(b'\\n')
                words = line.decode().split()
                if len(words) == 2:
                    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack('HHHH', int(words[1]), int(words[0]), 0, 0))
                else:
                    os.kill(pid, getattr(signal, words[0]))
            else:
                break
    if master in ready:
        try:
            data = os.read(master, 65536)
        except OSError:
            break
        if not data:
            break
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
_, status = os.waitpid(pid, 0)
sys.exit(os.waitstatus_to_exitcode(status) & 255)
`;
