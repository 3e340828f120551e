import { bytesInWords } from './sizes.js';

const sayEveryMs = 5_000;

/** The Engine tells a pull as some hundred messages a second; said are its beginning, its end, and now and then how far it is. */
export class PullProgress {
  error: string | undefined;
  isComplete = false;
  private readonly layers = new Map<string, { done: number; of: number }>();
  private saidMs = Date.now();

  constructor(private readonly say: (text: string) => void) {}

  line(text: string): void {
    if (text.trim() === '') return;
    const message = parsed(text);
    if (!message) return;
    const { status = '', id, error, progressDetail } = message;
    if (error !== undefined) {
      this.error = error;
      return;
    }
    if (/^(Digest|Status): /.test(status)) {
      this.say(`${status}\n`);
      if (status.startsWith('Status: ')) this.isComplete = true;
    } else if (status === 'Downloading' && id !== undefined) this.downloading(id, progressDetail);
  }

  private downloading(id: string, detail: { current?: number; total?: number } | undefined): void {
    this.layers.set(id, { done: detail?.current ?? 0, of: detail?.total ?? 0 });
    if (Date.now() - this.saidMs < sayEveryMs) return;
    this.saidMs = Date.now();
    const sum = (of: 'done' | 'of') => [...this.layers.values()].reduce((total, layer) => total + layer[of], 0);
    this.say(`Downloaded ${bytesInWords(sum('done'))} of ${bytesInWords(sum('of'))} so far\n`);
  }
}

interface PullMessage {
  status?: string;
  id?: string;
  error?: string;
  progressDetail?: { current?: number; total?: number };
}

function parsed(text: string): PullMessage | undefined {
  try {
    return JSON.parse(text) as PullMessage;
  } catch {
    return undefined;
  }
}
