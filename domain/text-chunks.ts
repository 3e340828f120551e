/**
 * Byte chunks of a UTF-8 stream as text, one text per chunk: a character that a chunk's edge cuts in two goes whole into the later chunk. Which
 * text belongs to a chunk depends on the bytes alone, so a reader who joins later gets the same.
 */

/** How many bytes at the end begin a character that is not complete: 0 to 3. */
export function cutBytes(data: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, data.length); back++) {
    const byte = data[data.length - back] ?? 0;
    if ((byte & 0b1100_0000) === 0b1000_0000) continue;
    const length = byte >= 0b1111_0000 ? 4 : byte >= 0b1110_0000 ? 3 : byte >= 0b1100_0000 ? 2 : 1;
    return length > back ? back : 0;
  }
  return 0;
}

/** `before`: the bytes of the stream just before this chunk, at least the last three. Bytes that are no UTF-8 become U+FFFD. */
export function textOfChunk(before: Uint8Array, data: Uint8Array): string {
  const carried = cutBytes(before);
  const whole = Buffer.concat([before.subarray(before.length - carried), data]);
  return whole.subarray(0, whole.length - cutBytes(whole)).toString('utf8');
}
