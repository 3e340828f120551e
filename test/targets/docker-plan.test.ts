import { describe, expect, it } from 'vitest';
import type { PlanRequest } from '../../domain/job-plan.js';
import { planDocker } from '../../targets/docker/plan.js';
import { bytesInWords, bytesOf } from '../../targets/docker/sizes.js';
import { planRequest } from './jobs.js';

const imageRequest = (resourceConfig: Record<string, unknown> = {}, over: object = {}): PlanRequest =>
  Object.assign(planRequest({ command: ['python', 'train.py'], resourceConfig }), {
    source: { kind: 'image' as const, image: 'team/train:2' },
    ...over,
  });

interface Container {
  Entrypoint?: string[];
  Cmd?: string[];
  WorkingDir?: string;
  Hostname?: string;
  HostConfig: Record<string, unknown>;
}
const containerOf = (resourceConfig: Record<string, unknown>, over = {}, settings = {}): Container =>
  planDocker(imageRequest(resourceConfig, over), settings).spec['container'] as Container;
const hostOf = (resourceConfig: Record<string, unknown>): Record<string, unknown> =>
  containerOf(resourceConfig).HostConfig;
const refusal = (resourceConfig: Record<string, unknown>): string => {
  try {
    planDocker(imageRequest(resourceConfig));
    return 'accepted';
  } catch (error) {
    return (error as Error).message;
  }
};

describe('the keys of a container', () => {
  it('are those of docker run that wandb agents take, in its spelling or with underscores', () => {
    expect(
      hostOf({
        cpus: '1.5',
        memory: '8g',
        'memory-reservation': '512m',
        memory_swap: -1,
        'pids-limit': 200,
        shm_size: '1g',
        'cpuset-cpus': '0-3,8',
        cpuset_mems: 0,
        'cpu-shares': '512',
        ulimit: ['nofile=1024:2048', 'core=0'],
        gpus: 'all',
      }),
    ).toMatchObject({
      NanoCpus: 1_500_000_000,
      Memory: 8 * 1024 ** 3,
      MemoryReservation: 512 * 1024 ** 2,
      MemorySwap: -1,
      PidsLimit: 200,
      ShmSize: 1024 ** 3,
      CpusetCpus: '0-3,8',
      CpusetMems: '0',
      CpuShares: 512,
      Ulimits: [
        { Name: 'nofile', Soft: 1024, Hard: 2048 },
        { Name: 'core', Soft: 0, Hard: 0 },
      ],
      DeviceRequests: [{ Driver: '', Count: -1, Capabilities: [['gpu']] }],
    });
    expect(hostOf({ m: '100m', cpu: 2 })).toMatchObject({ Memory: 100 * 1024 ** 2, NanoCpus: 2e9 });
    expect(hostOf({ cpu_period: 100_000, 'cpu-quota': 50_000 })).toMatchObject({
      CpuPeriod: 100_000,
      CpuQuota: 50_000,
    });
  });

  it('GPUs are all, a number, or named ones', () => {
    const asked = (gpus: unknown) => (hostOf({ gpus })['DeviceRequests'] as unknown[])[0];
    expect(asked(2)).toMatchObject({ Count: 2 });
    expect(asked('1')).toMatchObject({ Count: 1 });
    expect(asked('"device=0,2"')).toMatchObject({ DeviceIDs: ['0', '2'] });
    expect(asked('device=GPU-3a23c669')).toMatchObject({ DeviceIDs: ['GPU-3a23c669'] });
    expect(refusal({ gpus: 'some' })).toMatch(/gpus: write all, a number, or device=0,1/);
  });

  it('variables come as a list, one text or an object, and what Davit sets wins', () => {
    for (const env of [['A=1', 'WANDB_PROJECT=other'], { A: '1', WANDB_PROJECT: 'other' }])
      expect(
        planDocker(imageRequest({ env }, { environment: { WANDB_PROJECT: 'demo' } })).spec['environment'],
      ).toMatchObject({
        A: '1',
        WANDB_PROJECT: 'demo',
      });
    expect(planDocker(imageRequest({ e: 'A=x=y' })).spec['environment']).toMatchObject({ A: 'x=y' });
    // A name alone would hand out a variable of the agent.
    expect(refusal({ env: ['HOME'] })).toMatch(/env.*NAME=value/);
  });

  it('nothing reaches the host, and the refusal says whose it is', () => {
    for (const key of [
      'volume',
      'volumes',
      'v',
      'network',
      'privileged',
      'device',
      'cap-add',
      'user',
      'entrypoint',
      'runtime',
    ])
      expect(refusal({ [key]: 'x' })).toMatch(/operator of the agent/);
    expect(refusal({ noSuchKey: 1 })).toMatch(/noSuchKey: unknown key/);
    expect(refusal({ __proto__: 1, constructor: 1 })).toMatch(/constructor: unknown key/);
  });

  it('each wrong value is named with what would be right', () => {
    expect(refusal({ memory: 'lots' })).toMatch(/memory: .*size/);
    expect(refusal({ memory: '1k' })).toMatch(/memory: at least/);
    expect(refusal({ cpus: 0 })).toMatch(/cpus/);
    expect(refusal({ cpus: true })).toMatch(/cpus/);
    expect(refusal({ ulimit: 'nofile' })).toMatch(/ulimit: write name=soft/);
    expect(refusal({ workdir: 'relative' })).toMatch(/workdir: an absolute path/);
    expect(refusal({ platform: 'arm' })).toMatch(/platform: write os\/architecture/);
    expect(refusal({ memory: '1g', m: '2g' })).toMatch(/m: is given twice/);
    expect(refusal({ memory: '2g', 'memory-swap': '1g' })).toMatch(/memory-swap: is less than memory/);
    expect(refusal({ cpus: 1, cpu_quota: 1000 })).toMatch(/cpus: says the same/);
    const both = refusal({ memory: 'x', cpus: -1 });
    expect(both).toContain('memory');
    expect(both).toContain('cpus');
  });
});

describe('what a container runs', () => {
  it('is the entry point with its arguments, which replaces both of the image', () => {
    const over = { entryPoint: ['python', 'train.py'], args: ['--epochs', '3'] };
    expect(containerOf({}, over)).toMatchObject({ Entrypoint: ['python', 'train.py'], Cmd: ['--epochs', '3'] });
    expect(containerOf({}, { ...over, args: [] }).Cmd).toEqual([]);
  });

  it('is what the image starts when nobody says more; arguments go to its entry point', () => {
    const bare = containerOf({}, { entryPoint: [], args: [] });
    expect(bare.Entrypoint).toBeUndefined();
    expect(bare.Cmd).toBeUndefined();
    expect(containerOf({}, { entryPoint: [], args: ['--fast'] })).toMatchObject({ Cmd: ['--fast'] });
    expect(containerOf({ command: 'serve --port 1' }, { entryPoint: [], args: ['-v'] })).toMatchObject({
      Cmd: ['serve', '--port', '1', '-v'],
    });
  });

  it('code without an image of its own is put into a Python image, or the base image that it names', () => {
    const code = (over: object) =>
      planDocker(Object.assign(planRequest({ command: ['python', 'a.py'], codeDigest: 'ab' }), over))
        .spec as unknown as {
        image: string;
        code: string;
        container: Container;
      };
    expect(code({ pythonVersion: '3.11' }).image).toBe('python:3.11');
    expect(code({}).image).toBe('python:3.12');
    expect(code({ build: { baseImage: 'team/base' } })).toMatchObject({ image: 'team/base', code: 'mounted' });
    expect(code({ workingDir: 'src' }).container.WorkingDir).toBe('/davit/code/src');
  });

  it('a reference that is none is refused before anybody is asked for it', () => {
    for (const image of ['', ' ', '-v/:/host', 'a//b', 'x:', 'evil image', 'a\nb'])
      expect(() => planDocker(imageRequest({}, { source: { kind: 'image', image } }))).toThrow(/not a reference/);
    for (const image of ['a', 'localhost:5000/a/b:c', `a@sha256:${'0'.repeat(64)}`, `sha256:${'0'.repeat(64)}`])
      expect(planDocker(imageRequest({}, { source: { kind: 'image', image } })).spec['image']).toBe(image);
  });
});

describe('how a container reaches the API', () => {
  const at = (url: string, settings = {}) =>
    planDocker(imageRequest({}, { environment: { WANDB_BASE_URL: url } }), settings).spec as unknown as {
      environment: Record<string, string>;
      container: Container;
    };

  it('shares the network of the machine when the API answers on this machine alone', () => {
    for (const url of ['http://127.0.0.1:8080', 'http://localhost:1', 'http://[::1]:8080'])
      expect(at(url).container.HostConfig['NetworkMode']).toBe('host');
    for (const url of ['https://davit.example.org', 'http://10.0.0.1:8080'])
      expect(at(url).container.HostConfig['NetworkMode']).toBe('bridge');
  });

  it('as the operator says, when he does', () => {
    const { environment, container } = at('http://127.0.0.1:8080', { network: 'davit', apiUrl: 'http://server:8080' });
    expect(container.HostConfig['NetworkMode']).toBe('davit');
    expect(environment['WANDB_BASE_URL']).toBe('http://server:8080');
    expect(at('http://127.0.0.1:8080', { apiUrl: 'http://api:1' }).container.HostConfig['NetworkMode']).toBe('bridge');
  });

  it('and with the volumes that the operator gives to all jobs', () => {
    const { HostConfig } = containerOf({}, {}, { volumes: ['/data:/data:ro'] });
    expect(HostConfig['Binds']).toEqual(['/data:/data:ro']);
  });
});

describe('sizes', () => {
  it('are read as docker run reads them', () => {
    expect([bytesOf('8g'), bytesOf('1.5GiB'), bytesOf('512mb'), bytesOf(1024), bytesOf('10 k')]).toEqual([
      8 * 1024 ** 3,
      1.5 * 1024 ** 3,
      512 * 1024 ** 2,
      1024,
      10_240,
    ]);
    for (const text of ['', 'g', '-1g', '1e9', '8x', '99999999999t']) expect(bytesOf(text), text).toBeUndefined();
    expect([bytesInWords(8 * 1024 ** 3), bytesInWords(300 * 1024 ** 2), bytesInWords(7)]).toEqual([
      '8 GiB',
      '300 MiB',
      '7 bytes',
    ]);
  });
});
