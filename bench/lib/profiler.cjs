// Loaded into Node processes by NODE_OPTIONS=--require: SIGUSR2 begins a CPU profile of every thread, the next one writes it down.
const { Session } = require('node:inspector');
const process = require('node:process');
const { writeFileSync, renameSync } = require('node:fs');
const { join } = require('node:path');
const { BroadcastChannel, isMainThread, threadId } = require('node:worker_threads');

const folder = process.env.BENCH_PROFILE_FOLDER;
const session = new Session();
session.connect();
let isRunning = false;

function toggle() {
  isRunning = !isRunning;
  if (isRunning) {
    session.post('Profiler.enable');
    session.post('Profiler.setSamplingInterval', { interval: 1000 });
    session.post('Profiler.start');
    return;
  }
  session.post('Profiler.stop', (error, answer) => {
    if (error) return;
    const file = join(folder, `${process.pid}.${threadId}.cpuprofile`);
    writeFileSync(`${file}.new`, JSON.stringify(answer.profile));
    renameSync(`${file}.new`, file);
  });
}

const channel = new BroadcastChannel('bench-profiler');
channel.unref();
if (isMainThread) {
  process.on('SIGUSR2', () => {
    channel.postMessage('toggle');
    toggle();
  });
} else channel.onmessage = toggle;
