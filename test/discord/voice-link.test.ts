import { afterEach, describe, expect, it } from 'vitest';

import { VoiceJoinError } from '../../src/discord/voice-link.ts';
import { babble, BOT_ID, CHANNEL_ID, Ear, VoiceRoom } from './support/voice-room.ts';

const ALICE = { id: '11', name: 'Alice' };

let room: VoiceRoom;
afterEach(() => room[Symbol.asyncDispose]());

/** A room with Alice in it. */
async function open(): Promise<VoiceRoom> {
  room = await VoiceRoom.start();
  room.addPerson(ALICE.id);
  return room;
}

const statuses = () => room.states.map(({ status }) => status);
const close = (code: number) => room.voice.methods.voiceFault({ kind: 'close', code });

describe('joining', () => {
  it('is ready soon, and leaves when disposed', async () => {
    await open();
    const link = await room.join();
    expect(statuses()).toEqual(['connecting', 'ready']);
    expect(room.asked).toEqual(['join']);
    await link[Symbol.asyncDispose]();
    expect(link.state).toEqual({ status: 'gone', reason: { kind: 'left' } });
    expect(room.asked).toEqual(['join', 'leave']);
    expect(link.sendOpus(Buffer.of(1))).toBe('gone');
  });

  it.each(['silent', 'no-server', 'null-endpoint', 'offline'] as const)(
    'gives up after 15 s when the gateway is %s, and leaves nothing behind',
    async (mood) => {
      await open();
      room.mood = mood;
      const joining = room.join().catch((error: unknown) => error);
      for (let second = 0; second < 15; second++) {
        room.clock.skip(1_000);
        await room.settled();
      }
      const error = await joining;
      expect(error).toBeInstanceOf(VoiceJoinError);
      expect(error).toMatchObject({ reason: { kind: 'join-timeout' } });
      expect(room.joins).toBeLessThanOrEqual(4);
      if (mood !== 'offline') expect(room.asked.at(-1)).toBe('leave');
    },
  );

  it('asks again when the reply to its IP discovery is lost', async () => {
    await open();
    await room.voice.methods.voiceFault({ kind: 'drop-discovery', times: 2 });
    await room.join();
    expect(room.joins).toBe(1);
  });

  it('starts over when IP discovery gets no answer at all', async () => {
    await open();
    await room.voice.methods.voiceFault({ kind: 'drop-discovery', times: 1_000 });
    const joining = room.join();
    await room.until(() => room.joins === 1, 'the first try');
    room.clock.skip(5_000);
    await room.voice.methods.voiceFault({ kind: 'drop-discovery', times: 0 });
    await joining;
    expect(room.asked).toEqual(['join', 'leave', 'join']);
  });

  it('can be called off', async () => {
    await open();
    room.mood = 'silent';
    const stop = new AbortController();
    const joining = room.join({}, stop.signal);
    stop.abort(new RangeError('called off'));
    await expect(joining).rejects.toThrow(RangeError);
    expect(room.asked).toEqual(['join', 'leave']);
  });
});

describe('a closed voice socket', () => {
  it.each([1001, 1006, 4015])('with code %i is resumed', async (code) => {
    await open();
    const link = await room.join();
    await room.ready();
    await close(code);
    await room.state('recovering');
    await room.state('ready');
    expect(room.asked).toEqual(['join']);
    await expectToHear(link);
  });

  it('that is lost again soon after it was resumed is joined anew', async () => {
    await open();
    await room.join();
    await room.ready();
    await room.voice.methods.voiceFault({ kind: 'cut' });
    await room.state('recovering');
    await room.state('ready');
    await room.ready(2);
    await room.voice.methods.voiceFault({ kind: 'cut' });
    await room.state('recovering');
    await room.state('ready');
    expect(room.asked).toEqual(['join', 'join']);
  });

  it.each([4004, 4006, 4009, 4011])('with code %i leads to a new session', async (code) => {
    await open();
    const link = await room.join();
    await room.ready();
    await close(code);
    expect(await room.state('recovering')).toMatchObject({ cause: 'closed' });
    await room.state('ready');
    expect(room.asked).toEqual(['join', 'leave', 'join']);
    await expectToHear(link);
  });

  it.each([4001, 4002, 4003, 4005, 4012, 4016, 4020])('with code %i is joined once more, no more', async (code) => {
    await open();
    await room.join();
    await room.ready();
    await close(code);
    await room.state('recovering');
    await room.state('ready');
    await room.ready(2);
    await close(code);
    expect(await room.state('gone')).toEqual({ status: 'gone', reason: { kind: 'refused', code } });
    expect(room.joins).toBe(2);
  });

  it('that never holds is joined five times at most', async () => {
    await open();
    await room.join();
    for (let round = 1; round <= 6; round++) {
      await room.ready(round);
      await close(4006);
      await room.until(() => room.states.at(-1)?.status !== 'ready', 'the end of a session');
      room.clock.skip(10_000);
    }
    expect(await room.state('gone')).toEqual({ status: 'gone', reason: { kind: 'connection-lost' } });
    expect(room.joins).toBe(6);
  });

  it('while the main gateway is away too is joined when that is back, 50 s later', async () => {
    await open();
    const link = await room.join();
    await room.ready();
    room.mood = 'offline';
    await close(4006);
    await room.state('recovering');
    for (let second = 0; second < 50; second++) {
      room.clock.skip(1_000);
      await room.settled();
    }
    room.mood = 'well';
    room.clock.skip(2_200);
    await room.state('ready');
    await expectToHear(link);
  });

  it('with code 4014 is the end when no other server follows within five seconds', async () => {
    await open();
    await room.join();
    await room.ready();
    await close(4014);
    expect(await room.state('recovering')).toMatchObject({ cause: 'closed' });
    room.clock.skip(4_900);
    expect(statuses()).toEqual([]);
    room.clock.skip(200);
    expect(await room.state('gone')).toEqual({ status: 'gone', reason: { kind: 'removed' } });
    expect(room.joins).toBe(1);
  });

  it('with code 4014 is a new beginning when the main session was lost just before', async () => {
    await open();
    const link = await room.join();
    await room.ready();
    link.mainSessionLost();
    room.kick();
    await room.state('ready');
    await room.state('ready');
    expect(room.joins).toBe(2);
    await expectToHear(link);
  });

  it('with code 4017 is the end', async () => {
    await open();
    await room.join();
    await room.ready();
    await close(4017);
    expect(await room.state('gone')).toEqual({ status: 'gone', reason: { kind: 'encryption-required' } });
    expect(room.joins).toBe(1);
  });

  it('with code 4021 is the end, and nobody joins on that server for a minute', async () => {
    await open();
    await room.join();
    await room.ready();
    await close(4021);
    expect(await room.state('gone')).toMatchObject({ reason: { kind: 'rate-limited', retryAfterMs: 60_000 } });
    room.clock.skip(59_000);
    await expect(room.join()).rejects.toMatchObject({ reason: { kind: 'rate-limited' } });
    expect(room.joins).toBe(1);
    room.clock.skip(1_000);
    await room.join();
    expect(room.joins).toBe(2);
  });

  it('with code 4022 is joined once more after five seconds', async () => {
    await open();
    await room.join();
    await room.ready();
    await close(4022);
    await room.state('recovering');
    expect(room.joins).toBe(1);
    room.clock.skip(5_000);
    await room.state('ready');
    expect(room.joins).toBe(2);
    await room.ready(2);
    await close(4022);
    await room.until(() => statuses().includes('recovering'), 'the second end');
    room.clock.skip(5_000);
    expect(await room.state('gone')).toEqual({ status: 'gone', reason: { kind: 'call-ended' } });
    expect(room.joins).toBe(2);
  });
});

describe('what the gateway says', () => {
  it('a moderator who disconnects us ends it at once', async () => {
    await open();
    await room.join();
    await room.ready();
    room.kick();
    expect(await room.state('gone')).toEqual({ status: 'gone', reason: { kind: 'removed' } });
    expect(room.asked).toEqual(['join']);
  });

  it('a moderator who moves us takes us along', async () => {
    await open();
    const link = await room.join();
    await room.ready();
    room.move('2001');
    expect(await room.state('moved')).toEqual({ status: 'moved', channelId: '2001', fromChannelId: CHANNEL_ID });
    await room.ready(2);
    room.addPerson(ALICE.id, '2001');
    await expectToHear(link);
    expect(link.state).toEqual({ status: 'ready', channelId: '2001' });
    expect(room.joins).toBe(1);
  });

  it('another voice server is followed', async () => {
    await open();
    const link = await room.join();
    await room.ready();
    await room.voice.methods.voiceFault({ kind: 'move-server' });
    expect(await room.state('recovering')).toMatchObject({ cause: 'server-moved' });
    await room.state('ready');
    await expectToHear(link);
    expect(room.joins).toBe(1);
  });

  it('a voice server that is taken away is waited for', async () => {
    await open();
    const link = await room.join();
    await room.ready();
    room.serverUpdate('token', null);
    expect(await room.state('recovering')).toMatchObject({ cause: 'no-server' });
    room.clock.skip(29_000);
    await room.voice.methods.voiceFault({ kind: 'move-server' });
    await room.state('ready');
    await expectToHear(link);
  });

  it('a voice server that never comes back is the end after 30 s', async () => {
    await open();
    await room.join();
    await room.ready();
    room.serverUpdate('token', null);
    await room.state('recovering');
    room.clock.skip(30_000);
    expect(await room.state('gone')).toEqual({ status: 'gone', reason: { kind: 'no-server' } });
  });

  it('nonsense is survived by a new session', async () => {
    await open();
    const link = await room.join();
    await room.ready();
    room.serverUpdate('token', 'not a host:::');
    expect(await room.state('recovering')).toMatchObject({ cause: 'fault' });
    await room.state('ready');
    await expectToHear(link);
  });
});

describe('a malformed frame on the voice socket', () => {
  it.each([
    { what: 'one byte', binary: [1] },
    { what: 'null', text: 'null' },
    { what: 'opcode 21 without data', text: '{"op":21}' },
    { what: 'opcode 5 without data', text: '{"op":5}' },
    { what: 'opcode 11 with a number for a list', text: '{"op":11,"d":{"user_ids":7}}' },
    { what: 'opcode 27 for another group', binary: [0, 9, 27, 0, 1, 0] },
    { what: 'an empty opcode 27', binary: [0, 9, 27] },
    { what: 'a bad external sender', binary: [0, 9, 25, 1, 2, 3] },
    { what: 'opcode 29 of one byte', binary: [0, 9, 29, 0] },
  ])('($what) costs a new session of this connection and nothing else', async ({ text, binary }) => {
    await using other = await VoiceRoom.start();
    await other.join();
    await open();
    const link = await room.join();
    await room.ready();
    await room.voice.methods.voiceFault(
      text === undefined ? { kind: 'frame', binary: Buffer.from(binary).toString('base64') } : { kind: 'frame', text },
    );
    expect(await room.state('recovering')).toMatchObject({ cause: 'fault' });
    await room.state('ready');
    expect(room.joins).toBe(2);
    expect(other.states.map(({ status }) => status)).toEqual(['connecting', 'ready']);
    await expectToHear(link);
  });

  it.each([
    { what: 'no JSON', text: '{"op":' },
    { what: 'an empty hello', text: '{"op":8,"d":{}}' },
    { what: 'an unknown opcode', text: '{"op":200,"d":{}}' },
  ])('($what) is passed over', async ({ text }) => {
    await open();
    const link = await room.join();
    await room.ready();
    await room.voice.methods.voiceFault({ kind: 'frame', text });
    await expectToHear(link);
    expect(statuses()).toEqual(['connecting', 'ready']);
  });
});

describe('a link that does not hear', () => {
  it('sends silence, joins anew, then tells, while people speak and nothing arrives', async () => {
    await open();
    const link = await room.join();
    await room.ready();
    await using _ear = new Ear(room, link, [ALICE]);
    await room.voice.methods.setNetwork({ seed: 1, lossRate: 1 });
    const speakInVain = async (): Promise<void> => {
      await room.speak(ALICE.id, babble(40));
      room.clock.skip(10_000);
      room.clock.skip(1_000);
    };
    await speakInVain();
    await expect
      .poll(async () => {
        const { packets } = await room.voice.methods.heard({ personId: ALICE.id, fromUserId: BOT_ID });
        return packets.map(({ silence }) => silence);
      })
      .toEqual([true, true, true, true, true]);
    await speakInVain();
    expect(await room.state('recovering')).toMatchObject({ cause: 'deaf' });
    await room.state('ready');
    await room.ready(2);
    expect(room.troubles).toEqual([]);
    await speakInVain();
    expect(room.troubles).toEqual([{ kind: 'cannot-hear' }]);
    expect(room.joins).toBe(2);
  });

  it('tries new group keys, joins anew, then tells, while a member cannot be decrypted', async () => {
    await open();
    const link = await room.join();
    await room.ready();
    await using ear = new Ear(room, link, [ALICE]);
    await room.voice.methods.voiceFault({ kind: 'wrong-key', layer: 'dave', times: 100_000 });
    const speaking = room.speak(ALICE.id, babble(12_000));
    await room.until(() => room.troubles.length > 0, 'the trouble');
    expect(room.troubles).toEqual([{ kind: 'cannot-decrypt', userId: ALICE.id }]);
    expect(room.warnings.map(({ fields }) => fields['step'])).toEqual([
      ...Array.from({ length: 5 }, () => 'new-keys'),
      'rejoin',
      'tell',
    ]);
    expect(room.joins).toBe(2);
    expect(ear.frames).toEqual([]);
    await room.voice.methods.stopSpeaking({ personId: ALICE.id });
    await speaking;
  });
});

it('a commit that cannot be read costs new group keys, and no new session', async () => {
  await open();
  const link = await room.join();
  await room.ready();
  const binary = Buffer.from([0, 9, 29, 0, 5, 1, 2, 3, 4, 5]).toString('base64');
  await room.voice.methods.voiceFault({ kind: 'frame', binary });
  // What is spoken while the keys change may be lost.
  await room.speak(ALICE.id, babble(100));
  await expectToHear(link);
  expect(statuses()).toEqual(['connecting', 'ready']);
});

/** Alice speaks and the link hears it. */
async function expectToHear(link: Awaited<ReturnType<VoiceRoom['join']>>): Promise<void> {
  await using ear = new Ear(room, link, [ALICE]);
  const { voicePackets } = await room.speak(ALICE.id, babble(100));
  await ear.heard(ALICE.id);
  expect(ear.frames).toHaveLength(voicePackets);
}
