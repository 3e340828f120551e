import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { imageName, parseImageReference, pinnedName, repositoryOf } from '../../domain/image-reference.js';

const digest = `sha256:${'0f'.repeat(32)}`;

describe('the name of an image', () => {
  it.each([
    ['python', 'docker.io', 'library/python', undefined, 'python:latest'],
    ['python:3.11', 'docker.io', 'library/python', '3.11', 'python:3.11'],
    ['docker.io/python:3.11', 'docker.io', 'library/python', '3.11', 'python:3.11'],
    ['team/app', 'docker.io', 'team/app', undefined, 'team/app:latest'],
    ['localhost/app:1', 'localhost', 'app', '1', 'localhost/app:1'],
    ['127.0.0.1:5000/a/b:1', '127.0.0.1:5000', 'a/b', '1', '127.0.0.1:5000/a/b:1'],
    [`ghcr.io/a/b:1@${digest}`, 'ghcr.io', 'a/b', '1', `ghcr.io/a/b:1@${digest}`],
    [`ghcr.io/a/b@${digest}`, 'ghcr.io', 'a/b', undefined, `ghcr.io/a/b@${digest}`],
  ])('%s is read as Docker reads it', (text, host, path, tag, name) => {
    const image = parseImageReference(text);
    expect(image).toMatchObject({ host, path });
    expect(image?.tag).toBe(tag);
    expect(image && imageName(image)).toBe(name);
  });

  it.each([
    '',
    'a/B',
    'a//b',
    '/a',
    'a:',
    'a@sha256:12',
    `a@${digest}@${digest}`,
    'a b',
    'a/../b',
    '-a',
    'x/'.repeat(300),
  ])('%j is none', (text) => expect(parseImageReference(text)).toBeUndefined());

  it('comes back the same from what it is written as', () => {
    const part = fc.stringMatching(/^[a-z0-9]{1,8}$/);
    const image = fc.record({
      host: fc.constantFrom('docker.io', 'localhost', 'ghcr.io', '10.0.0.1:5000', 'reg.example:443'),
      path: fc.array(part, { minLength: 2, maxLength: 4 }).map((parts) => parts.join('/')),
      tag: fc.option(fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,9}$/), { nil: undefined }),
      digest: fc.constantFrom(undefined, digest),
    });
    fc.assert(
      fc.property(image, (one) => {
        const read = parseImageReference(imageName(one));
        const tag = one.tag ?? (one.digest === undefined ? 'latest' : undefined);
        expect(read).toEqual({ ...one, tag });
        expect(read && pinnedName(read, digest)).toBe(`${repositoryOf(one)}@${digest}`);
      }),
    );
  });
});
