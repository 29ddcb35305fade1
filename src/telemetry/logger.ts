import { pino, type Logger } from 'pino';

import { monotonicClock } from '../time/clock.ts';
import { FieldWriter } from './field-writer.ts';
import type { Log, LogFields } from './log.ts';
import { createScrub } from './scrub.ts';

/** Standard output that nobody reads fills up: beyond this many bytes, lines are dropped and counted. */
const MAX_QUEUED_BYTES = 4 * 1024 * 1024;

/** How long `flush` waits for whoever reads standard output. */
const FLUSH_DEADLINE_MS = 2_000;

export interface LoggerOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** Where lines go, each with its line end. Default: standard output. */
  readonly destination?: LogDestination;
  /** Values that no line may hold, however encoded. What looks like a credential is taken out besides. */
  readonly secrets: readonly string[];
}

export interface LogDestination {
  write(line: string): unknown;
  /** Calls back when all that was written has gone out. Absent: `write` is enough. */
  flush?(done: () => void): void;
}

/** A {@link Log} whose last lines can be waited for. */
export interface RootLog extends Log {
  /** Resolves when all lines so far have gone out, or after two seconds. Never rejects. */
  flush(): Promise<void>;
}

/** The process's one logger: a JSON line an event, with ISO time, level and the fixed message as `msg`. */
export function createLogger(options: LoggerOptions): RootLog {
  const destination = options.destination ?? standardOutput();
  const logger = pino(
    {
      level: options.level,
      // No process id and host name: whoever runs the process knows both.
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
      // pino's own would serialise again what FieldWriter has made of an error.
      serializers: { err: (err: unknown) => err },
    },
    destination,
  );
  const log = new PinoLog(logger, new FieldWriter(createScrub(options.secrets)));
  return Object.assign(log, { flush: () => flush(destination) });
}

class PinoLog implements Log {
  readonly #logger: Logger;
  readonly #writer: FieldWriter;

  constructor(logger: Logger, writer: FieldWriter) {
    this.#logger = logger;
    this.#writer = writer;
  }

  debug(fields: LogFields, message: string): void {
    this.#write('debug', fields, message);
  }

  info(fields: LogFields, message: string): void {
    this.#write('info', fields, message);
  }

  warn(fields: LogFields, message: string): void {
    this.#write('warn', fields, message);
  }

  error(fields: LogFields, message: string): void {
    this.#write('error', fields, message);
  }

  child(fields: LogFields): Log {
    return new PinoLog(this.#logger.child(this.#writer.write(fields)), this.#writer);
  }

  #write(level: LoggerOptions['level'], fields: LogFields, message: string): void {
    if (!this.#logger.isLevelEnabled(level)) return;
    this.#logger[level](this.#writer.write(fields), this.#writer.text(message));
  }
}

/** Written in the background, so that a slow reader never holds up sound. What is left is written when the process exits. */
function standardOutput(): LogDestination {
  // `minLength` of 1 still writes every line at once; with 0, `flush` would not wait.
  const output = pino.destination({ dest: 1, sync: false, minLength: 1, maxLength: MAX_QUEUED_BYTES });
  let lines = 0;
  output.on('drop', () => {
    lines += 1;
  });
  output.on('drain', () => {
    if (lines === 0) return;
    output.write(`${JSON.stringify({ level: 'warn', time: new Date(), lines, msg: 'log lines were dropped' })}\n`);
    lines = 0;
  });
  // A closed pipe or a full disk costs log lines, never the conversation.
  output.on('error', () => {});
  return {
    write: (line) => output.write(line),
    flush: (done) => output.flush(() => done()),
  };
}

function flush(destination: LogDestination): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (!destination.flush) return Promise.resolve();
  const deadline = monotonicClock.after(FLUSH_DEADLINE_MS, resolve);
  destination.flush(resolve);
  return promise.finally(() => deadline[Symbol.dispose]());
}
