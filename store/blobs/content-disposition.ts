/** `attachment` with a name in both forms: plain ASCII for old readers, RFC 5987 for the rest. */
export function contentDisposition(fileName: string): string {
  const base = fileName.split('/').at(-1) ?? '';
  const plain = base.replace(/[^ -~]|["\\%]/g, '_');
  const full = encodeURIComponent(base.replace(/\p{Surrogate}/gu, '\ufffd')).replace(
    /['()*]/g,
    (c) => '%' + c.charCodeAt(0).toString(16),
  );
  return `attachment; filename="${plain}"; filename*=UTF-8''${full}`;
}
