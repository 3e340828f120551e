/**
 * PostgreSQL's text cannot hold NUL, and half a surrogate pair has no UTF-8. Both come from real programs (a printed binary, a cut emoji), and
 * one such character must not cost the rest of the request.
 */
export function storable(text: string): string {
  // eslint-disable-next-line no-control-regex -- NUL is what it looks for
  return text.replace(/\u0000|\p{Surrogate}/gu, '\ufffd');
}
