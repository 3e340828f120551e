/** Longer than a burst of requests takes to arrive, shorter than anybody notices. */
const gatherMs = 10;
const most = 200;

/**
 * Makes one call of many that come within a moment: for requests that come by the hundred every second and each cost a statement. The answers
 * come in the order of the questions; an error is everybody's.
 */
export function gathered<Ask, Answer>(answer: (asks: Ask[]) => Promise<Answer[]>): (ask: Ask) => Promise<Answer> {
  let waiting: { ask: Ask; resolve: (answer: Answer) => void; reject: (error: unknown) => void }[] = [];

  function send(): void {
    const group = waiting;
    waiting = [];
    answer(group.map(({ ask }) => ask)).then(
      (answers) => {
        for (const [n, { resolve }] of group.entries()) resolve(answers[n] as Answer);
      },
      (error: unknown) => {
        for (const { reject } of group) reject(error);
      },
    );
  }

  return (ask) =>
    new Promise((resolve, reject) => {
      waiting.push({ ask, resolve, reject });
      if (waiting.length === 1) setTimeout(() => waiting.length > 0 && send(), gatherMs);
      else if (waiting.length === most) send();
    });
}
