/**
 * The logger every part is given. Messages are fixed strings; what varies goes in the fields: ids, counts, durations.
 * Never what people said or wrote, never a secret.
 */
export interface Log {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  /** A logger that adds these fields to every line. */
  child(fields: LogFields): Log;
}

/** `err` holds an Error and is serialised whole, with secrets scrubbed. */
export type LogFields = Readonly<Record<string, unknown>>;
