/** `process.kill(0)` ends the whole process group: the test runner and whoever started it. No test means that. */
const kill = process.kill.bind(process);
process.kill = (pid, signal) => {
  if (!Number.isInteger(pid) || pid === 0)
    throw new Error(`a test wanted to send ${signal ?? 'SIGTERM'} to process ${pid}`);
  return kill(pid, signal);
};
