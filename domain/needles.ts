/**
 * Many byte strings looked for at once, in one pass whatever their number: a trie whose nodes know where to go on when the next byte does not
 * fit (Aho and Corasick's). That a text ends in the beginning of one of them is known from the node where its last byte led.
 */
export class Needles {
  /** node * 256 + byte → node. */
  private readonly next = new Map<number, number>();
  private readonly fallback: number[] = [0];
  private readonly depth: number[] = [0];
  /** Length of the longest needle that ends at the node. */
  private readonly found: number[] = [0];
  /** Does a longer needle go on from the node? */
  private readonly inner: boolean[] = [];
  /** By byte: begins a needle. Most of a log does not, and passes by this alone. */
  private readonly begins = new Uint8Array(256);

  constructor(needles: readonly Uint8Array[]) {
    for (const needle of needles) this.insert(needle);
    this.linkUp();
  }

  /** Marks what is found with 1; answers how many bytes at the end of the text could be the beginning of a needle. */
  mark(text: Uint8Array, marks: Uint8Array): number {
    let node = 0;
    for (let i = 0; i < text.length; i++) {
      const byte = text[i] ?? 0;
      if (node === 0 && this.begins[byte] === 0) continue;
      node = this.step(node, byte);
      const length = this.found[node] ?? 0;
      if (length > 0) marks.fill(1, i + 1 - length, i + 1);
    }
    // A needle that is complete and begins no longer one is nothing to wait for; its end may be.
    while (node !== 0 && this.inner[node] !== true) node = this.fallback[node] ?? 0;
    return this.depth[node] ?? 0;
  }

  private insert(needle: Uint8Array): void {
    let node = 0;
    for (const byte of needle) {
      const key = node * 256 + byte;
      let child = this.next.get(key);
      if (child === undefined) {
        child = this.depth.length;
        this.next.set(key, child);
        this.depth.push((this.depth[node] ?? 0) + 1);
        this.found.push(0);
        this.fallback.push(0);
      }
      if (node === 0) this.begins[byte] = 1;
      this.inner[node] = true;
      node = child;
    }
    this.found[node] = needle.length;
  }

  /** Nodes nearer to the root first: what a node falls back to is done before the node. */
  private linkUp(): void {
    const edges = [...this.next].map(([key, child]) => ({ parent: Math.floor(key / 256), byte: key % 256, child }));
    edges.sort((a, b) => (this.depth[a.child] ?? 0) - (this.depth[b.child] ?? 0));
    for (const { parent, byte, child } of edges) {
      const fallback = parent === 0 ? 0 : this.step(this.fallback[parent] ?? 0, byte);
      this.fallback[child] = fallback;
      this.found[child] = Math.max(this.found[child] ?? 0, this.found[fallback] ?? 0);
    }
  }

  private step(from: number, byte: number): number {
    for (let node = from; ; node = this.fallback[node] ?? 0) {
      const child = this.next.get(node * 256 + byte);
      if (child !== undefined) return child;
      if (node === 0) return 0;
    }
  }
}
