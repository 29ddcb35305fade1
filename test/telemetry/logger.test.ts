import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

import { expect, test } from 'vitest';

import { createLogger } from '../../src/telemetry/logger.ts';
import type { LogFields } from '../../src/telemetry/log.ts';

function logOne(fields: LogFields, message = 'something happened'): unknown {
  const lines: string[] = [];
  createLogger({ level: 'info', destination: { write: (line) => lines.push(line) }, secrets: [] }).info(
    fields,
    message,
  );
  expect(lines).toHaveLength(1);
  return JSON.parse(lines.join(''));
}

test('a line is an event: level, ISO time, fields and the fixed message', () => {
  expect(logOne({ guildId: '123456789012345678', durationMs: 12.5, first: true })).toEqual({
    level: 'info',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    guildId: '123456789012345678',
    durationMs: 12.5,
    first: true,
    msg: 'something happened',
  });
});

test('what is no secret stays readable', () => {
  const fields = {
    channelId: '1234567890123456789',
    path: '/openai/deployments/gpt-audio-1.5/chat/completions?api-version=2025-01-01-preview',
    host: 'https://parley.openai.azure.com/openai/v1',
    requestId: 'f1b2c3d4-0000-4000-8000-1234567890ab',
    maxTokens: 4096,
    inputTokens: 120_000,
    commands: ['join', 'leave'],
    missing: 'Bot lacks the permission to speak',
    version: 'discord.js@14.28.1',
    file: '/app/node_modules/@discordjs/voice/dist/index.mjs:1203:17',
    reason: 'the token expired, signing in again',
  };
  expect(logOne(fields)).toMatchObject(fields);
});

test('lines below the level are not written, and their fields are not looked at', () => {
  const lines: string[] = [];
  const log = createLogger({ level: 'warn', destination: { write: (line) => lines.push(line) }, secrets: [] });
  const fields = {
    get costly(): string {
      throw new Error('looked at');
    },
  };
  log.debug(fields, 'a');
  log.child({ callId: 'c' }).info(fields, 'b');
  log.warn({}, 'c');
  expect(lines.map((line) => JSON.parse(line).msg)).toEqual(['c']);
});

test('a child adds its fields to every line', () => {
  const lines: string[] = [];
  const log = createLogger({ level: 'info', destination: { write: (line) => lines.push(line) }, secrets: [] });
  log.child({ guildId: 'g' }).child({ callId: 'c' }).info({ turn: 1 }, 'x');
  expect(JSON.parse(lines.join(''))).toMatchObject({ guildId: 'g', callId: 'c', turn: 1 });
});

test('an error is written whole: type, text, stack and what caused it, but not the bodies it carries', () => {
  class RequestError extends Error {
    override readonly name = 'RequestError';
    readonly status = 429;
    readonly requestBody = { content: 'what somebody said' };
  }
  const cause = new TypeError('terminated', { cause: new AggregateError([new RangeError('deep')], 'many') });
  expect(logOne({ err: new RequestError('too many', { cause }) })).toMatchObject({
    err: {
      type: 'RequestError',
      message: 'too many',
      status: 429,
      stack: expect.stringContaining('logger.test.ts'),
      cause: { type: 'TypeError', message: 'terminated', cause: { errors: [{ type: 'RangeError', message: 'deep' }] } },
    },
  });
  expect(JSON.stringify(logOne({ err: new RequestError('too many') }))).not.toContain('what somebody said');
});

test('what a server wrote about an error is not passed on: it may quote what people said', () => {
  class RefusedError extends Error {
    override readonly name = 'RefusedError';
    readonly status: number | undefined;
    readonly code = 'invalid_value: zanzibar';
    constructor(text: string, status?: number) {
      super(text);
      this.status = status;
    }
  }
  const refused = new RefusedError('400 invalid: "Meet me in Zanzibar.\n    at Zanzibar"', 400);
  const inStream = new RefusedError('cannot say "Zanzibar"');
  const err = new Error('the model refuses', { cause: new AggregateError([refused, inStream], 'both') });
  const line = logOne({ err });
  expect(line).toMatchObject({
    err: {
      message: 'the model refuses',
      cause: {
        message: 'both',
        errors: [{ type: 'RefusedError', status: 400, stack: expect.stringMatching(/^at .*logger\.test\.ts/) }, {}],
      },
    },
  });
  expect(JSON.stringify(line)).not.toMatch(/zanzibar/i);
  const coded = Object.assign(new RefusedError('Zanzibar', 400), { code: 'invalid_value' });
  expect(logOne({ err: new Error('no', { cause: coded }) })).toMatchObject({
    err: { cause: { code: 'invalid_value' } },
  });
});

test('what is no JSON is not quoted', () => {
  const parse = (): unknown => {
    try {
      return JSON.parse('Zanzibar is warm');
    } catch (error) {
      return error;
    }
  };
  const line = JSON.stringify(logOne({ err: parse() }));
  expect(line).toContain('SyntaxError');
  expect(line).not.toContain('Zanzibar');
});

test('what JSON cannot say is named, never thrown', () => {
  const circular: Record<string, unknown> = {};
  circular['self'] = circular;
  const unreadable = {
    get value(): string {
      throw new Error('no');
    },
  };
  const fields = {
    circular,
    unreadable,
    big: 12n,
    none: undefined,
    nothing: null,
    notANumber: Number.NaN,
    run: () => 1,
    bytes: new Uint8Array(480),
    at: new Date(0),
    map: new Map([['a', 1]]),
    many: Array.from({ length: 250 }, (_, index) => index),
    long: 'é'.repeat(20_000),
  };
  expect(logOne(fields)).toMatchObject({
    circular: { self: '[circular]' },
    unreadable: '[unreadable]',
    big: '12',
    nothing: null,
    notANumber: 'NaN',
    run: '[function]',
    bytes: '[480 bytes]',
    at: '1970-01-01T00:00:00.000Z',
    map: { a: 1 },
    many: expect.arrayContaining([99, '[150 more]']),
    long: expect.stringMatching(/^é{8000}\[cut: 20000 characters\]$/),
  });
});

test('sound in base64 does not fill the log', () => {
  const sound = Buffer.alloc(3_000, 7).toString('base64');
  expect(logOne({ body: `{"audio":"${sound}"}` })).toMatchObject({ body: '{"audio":"[base64]"}' });
});

test('flush waits for a destination that buffers', async () => {
  const order: string[] = [];
  const destination = {
    write: () => order.push('write'),
    flush: (done: () => void) => {
      setImmediate(() => {
        order.push('flushed');
        done();
      });
    },
  };
  const log = createLogger({ level: 'info', destination, secrets: [] });
  log.info({}, 'x');
  await log.flush();
  expect(order).toEqual(['write', 'flushed']);
});

/** Runs a program that has `log`, on standard output as in production. */
function run(program: string) {
  const logger = new URL('../../src/telemetry/logger.ts', import.meta.url).href;
  const source = `const { createLogger } = await import(${JSON.stringify(logger)});
    const log = createLogger({ level: 'info', secrets: [] });
    ${program}`;
  return spawn(process.execPath, ['--input-type=module', '--eval', source], { stdio: ['ignore', 'pipe', 'pipe'] });
}

test('standard output has every line after a flush, and when the process just ends', async () => {
  const flushed = run(
    `for (let i = 0; i < 500; i++) log.info({ i }, 'x'); await log.flush(); process.kill(process.pid, 'SIGKILL');`,
  );
  const ended = run(`for (let i = 0; i < 500; i++) log.info({ i }, 'x'); process.exit(0);`);
  for (const output of await Promise.all([text(flushed.stdout), text(ended.stdout)])) {
    const numbers = output
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).i);
    expect(numbers).toEqual(Array.from({ length: 500 }, (_, index) => index));
  }
});

test('when nobody reads standard output the program goes on, and the log says how many lines are missing', async () => {
  const child = run(`
    for (let i = 0; i < 4000; i++) log.info({ i, text: 'word '.repeat(400) }, 'x');
    process.stderr.write('still here');
    process.stdin.resume();`);
  await once(child.stderr, 'data');
  const lines = (await text(child.stdout))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const kept = lines.filter((line) => line.msg === 'x').length;
  expect(kept).toBeLessThan(4_000);
  expect(lines.at(-1)).toMatchObject({ level: 'warn', lines: 4_000 - kept, msg: 'log lines were dropped' });
});

test('a reader that goes away does not end the program', async () => {
  const child = run(`
    const timer = setInterval(() => log.info({}, 'x'), 1);
    process.on('SIGTERM', () => { clearInterval(timer); log.flush().then(() => process.stderr.write('bye')); });`);
  await once(child.stdout, 'data');
  child.stdout.destroy();
  child.kill('SIGTERM');
  const [output, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  expect({ output, code }).toEqual({ output: 'bye', code: 0 });
});
