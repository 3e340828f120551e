import { describe, expect, test } from 'vitest';
import { gitRefProblem, gitRemoteProblem, gitTransports, nameOfRemote } from '../../domain/git-remote.js';
import { imageProblem, partsOfImage } from '../../domain/image-name.js';

describe('a git address is taken only when it can do no harm', () => {
  test.each([
    'https://git.example.test/team/flowers.git',
    'https://git.example.test:8443/flowers',
    'ssh://git@git.example.test/flowers.git',
    'ssh://git@git.example.test:2222/flowers.git',
    'git@git.example.test:team/flowers.git',
  ])('%s is', (url) => expect(gitRemoteProblem(url)).toBeUndefined());

  test.each([
    '',
    '--upload-pack=touch /tmp/x',
    '-oProxyCommand=x@host:y',
    'file:///etc',
    'ext::sh -c touch% /tmp/x',
    'fd::17',
    'git://host/x',
    'http://host/x',
    '/srv/git/x',
    '../x',
    'C:\\x',
    'https://',
    'https:///x',
    'https://host/x\ny',
    'https://host/a b',
    'ssh://-oProxyCommand=x/y',
    'ssh://-user@host/y',
    'git@-oProxyCommand=x:y',
    'user@host::x',
    `https://host/${'x'.repeat(3000)}`,
  ])('%j is not', (url) => expect(gitRemoteProblem(url)).toBeDefined());

  test('a password in it is refused without being repeated', () => {
    for (const url of ['https://ada:hunter2@host/x', 'https://hunter2@host/x', 'ssh://ada:hunter2@host/x']) {
      expect(gitRemoteProblem(url)).toContain('named secret');
      expect(gitRemoteProblem(url)).not.toContain('hunter2');
    }
    expect(gitRemoteProblem('http://ada:hunter2@host/x')).not.toContain('hunter2');
  });

  test('an operator may allow more, and only what begins so', () => {
    const allowed = ['http://git.lan/', 'file:///srv/git/', 'http://127.0.0.1'];
    for (const url of ['http://git.lan/x', 'file:///srv/git/x.git', 'http://127.0.0.1:3000/x'])
      expect(gitRemoteProblem(url, allowed), url).toBeUndefined();
    for (const url of ['http://git.lan.evil/x', 'file:///srv/git/../../etc', 'http://127.0.0.11/x', 'http://other/x'])
      expect(gitRemoteProblem(url, allowed), url).toBeDefined();
    expect(gitTransports(allowed)).toEqual(['https', 'ssh', 'http', 'file']);
    expect(gitTransports()).toEqual(['https', 'ssh']);
  });
});

test('a revision is what git takes as one, and never an option', () => {
  for (const ref of ['main', 'feature/x-1', 'v1.0', 'refs/heads/main', 'a'.repeat(40)])
    expect(gitRefProblem(ref), ref).toBeUndefined();
  for (const ref of [
    '',
    '-x',
    '--upload-pack=x',
    'a..b',
    'a b',
    'a~1',
    'HEAD^',
    'a:b',
    'x.lock',
    '/x',
    'x/',
    '@{u}',
    'a\nb',
  ])
    expect(gitRefProblem(ref), ref).toBeDefined();
});

test('a job is called after its repository', () => {
  expect(['https://h/team/flowers.git', 'git@h:flowers', 'ssh://h/a b.git/'].map(nameOfRemote)).toEqual([
    'flowers',
    'flowers',
    'a-b',
  ]);
});

test('an image is known by its name and tag, and nothing else is one', () => {
  const digest = `sha256:${'a'.repeat(64)}`;
  for (const image of [
    'python',
    'python:3.11',
    'h.test:5000/team/train:1.2',
    `h.test/x@${digest}`,
    `x:1@${digest}`,
    'localhost:5000/a__b',
  ])
    expect(imageProblem(image), image).toBeUndefined();
  for (const image of ['', '-x', 'a b', 'x:', 'x@sha256:1', 'x;y', 'a//b', '$(x)', 'x:y:z'])
    expect(imageProblem(image), image).toBeDefined();
  expect([`h.test:5000/team/train:1.2`, 'h.test:5000/train', `x@${digest}`].map(partsOfImage)).toEqual([
    { name: 'h.test:5000/team/train', tag: '1.2' },
    { name: 'h.test:5000/train' },
    { name: 'x' },
  ]);
});
