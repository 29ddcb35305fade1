/**
 * Preloaded into a process that is measured (`node --import`), whichever it is: on `start` it begins to watch the event
 * loop, on `stop` it tells its parent how late the loop was meanwhile. Until then it costs nothing.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import process from 'node:process';

const RESOLUTION_MS = 5;

const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
process.on('message', (order) => {
  if (order === 'start') {
    delay.reset();
    delay.enable();
  } else if (order === 'stop') {
    delay.disable();
    // What is measured is the time between two timers, their own distance included.
    const at = (percent: number): number => Math.max(0, delay.percentile(percent) / 1e6 - RESOLUTION_MS);
    process.send?.({ loopDelay: { p50: at(50), p95: at(95), p99: at(99), max: at(100) } });
  }
});
process.channel?.unref();
