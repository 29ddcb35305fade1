import { VoiceConnectionDisconnectReason, VoiceConnectionStatus } from '@discordjs/voice';
import { describe, expect, it } from 'vitest';

import { ALICE, BOB, BOT, CAROL, GUILD, member, RawBot, sweep } from './raw-bot.ts';

const SOUND = sweep(160, 400);

/** `NetworkingStatusCode.UdpHandshaking`: IP discovery has been sent. */
const UDP_HANDSHAKING = 2;

function networkingCode({ connection: { state } }: RawBot): number | undefined {
  return state.status === VoiceConnectionStatus.Connecting ? state.networking.state.code : undefined;
}

describe('a voice session', () => {
  it('is resumed after the connection was cut, with everything that happened meanwhile', async () => {
    await using bot = await RawBot.start();
    bot.enter(ALICE, BOB);
    await bot.join();
    const before = bot.connection.voicePrivacyCode;
    await bot.service.methods.voiceFault({ kind: 'cut' });
    // The new member's proposals are sent while nobody listens.
    bot.enter(CAROL);
    expect(await bot.event('bot-voice-gone')).toMatchObject({ code: 1006 });
    await bot.event('bot-voice-ready', 1);
    await bot.eventually(() => bot.connection.voicePrivacyCode !== before, 'the new epoch at the bot');
    expect(bot.admissions).toBe(1);
    expect(await bot.botHears(CAROL, SOUND)).toBeGreaterThan(0.9);
    expect(await bot.botHears(ALICE, SOUND)).toBeGreaterThan(0.9);
    expect((await bot.heardBy(CAROL, SOUND)).correlation).toBeGreaterThan(0.9);
  });

  it('is resumed after 4015 and begun anew after 4006', async () => {
    await using bot = await RawBot.start();
    bot.enter(ALICE);
    await bot.join();
    await bot.service.methods.voiceFault({ kind: 'close', code: 4015 });
    await bot.event('bot-voice-ready', 1);
    expect(bot.admissions).toBe(1);
    expect(await bot.botHears(ALICE, SOUND)).toBeGreaterThan(0.9);

    await bot.service.methods.voiceFault({ kind: 'close', code: 4006 });
    await bot.event('bot-voice-ready', 2);
    expect(bot.admissions).toBe(2);
    expect((await bot.event('bot-voice-gone', 1)).code).toBe(4006);
    expect(await bot.botHears(ALICE, SOUND)).toBeGreaterThan(0.9);
    expect((await bot.heardBy(ALICE, SOUND)).correlation).toBeGreaterThan(0.9);
  });

  it('goes on at another server when the call moves', async () => {
    await using bot = await RawBot.start();
    bot.enter(ALICE, BOB);
    await bot.join();
    const { endpoint } = bot.service;
    for (const move of [1, 2]) {
      await bot.service.methods.voiceFault({ kind: 'move-server' });
      await bot.event('bot-voice-ready', move);
      expect(bot.service.endpoint === endpoint).toBe(move === 2);
      expect(await bot.botHears(ALICE, SOUND)).toBeGreaterThan(0.9);
    }
    expect((await bot.heardBy(BOB, SOUND)).correlation).toBeGreaterThan(0.9);
  });

  it('ends with 4014 when the bot is removed', async () => {
    await using bot = await RawBot.start();
    bot.enter(ALICE);
    await bot.join();
    bot.service.removeBot(GUILD, 4014);
    await bot.eventually(() => bot.connection.state.status === VoiceConnectionStatus.Disconnected, 'the disconnect');
    expect(bot.connection.state).toMatchObject({
      reason: VoiceConnectionDisconnectReason.WebSocketClose,
      closeCode: 4014,
    });
    expect(await bot.event('bot-voice-gone')).toMatchObject({ code: 4014, guildId: GUILD });
  });

  it('never begins while IP discovery is not answered', async () => {
    await using bot = await RawBot.start();
    bot.enter(ALICE);
    await bot.service.methods.voiceFault({ kind: 'drop-discovery', times: 1 });
    bot.connect();
    await bot.eventually(() => networkingCode(bot) === UDP_HANDSHAKING, 'IP discovery');
    // The second attempt is answered: had the first been, there would be two sessions.
    bot.connection.rejoin({ channelId: member(BOT).channelId, selfDeaf: false, selfMute: false });
    await bot.event('bot-voice-ready');
    expect(bot.count('bot-voice-ready')).toBe(1);
    expect(bot.admissions).toBe(2);
  });

  it('is refused with 4017 without DAVE, unless the call does without', async () => {
    await using bot = await RawBot.start();
    bot.enter(ALICE);
    // The client asks again and again; the third time it is let in.
    bot.connect({ daveEncryption: false });
    await bot.eventually(() => bot.admissions > 2 || undefined, 'the client to come again');
    await bot.service.methods.setVoiceDefaults({ daveRequired: false });
    expect(await bot.event('bot-voice-ready')).toMatchObject({ daveVersion: 0 });
    expect(await bot.botHears(ALICE, SOUND)).toBeGreaterThan(0.9);
  });
});

describe('faults on the way to the bot', () => {
  it('opcode 5 comes late: what was said before it is lost on a client that knows no SSRC yet', async () => {
    await using bot = await RawBot.start();
    bot.enter(ALICE);
    await bot.join();
    await bot.service.methods.voiceFault({ kind: 'late-speaking', delayMs: 150, times: 1 });
    bot.listenTo(ALICE);
    const { voicePackets } = await bot.speak(ALICE, sweep(400, 300));
    await bot.eventually(() => bot.packetsFrom(ALICE).at(-1)?.length === 3, 'the end of the speech');
    expect(bot.packetsFrom(ALICE).length).toBeGreaterThan(5);
    expect(bot.packetsFrom(ALICE).length).toBeLessThan(voicePackets);
    expect(await bot.botHears(ALICE, SOUND)).toBeGreaterThan(0.9);
  });

  it('a packet of a wrong transport key ends the stream of an unguarded client', async () => {
    await using bot = await RawBot.start();
    bot.enter(ALICE);
    await bot.join();
    bot.listenTo(ALICE);
    const broken = Promise.withResolvers<unknown>();
    bot.connection.receiver.subscriptions.get(ALICE)?.on('error', broken.resolve);
    await bot.service.methods.voiceFault({ kind: 'wrong-key', layer: 'transport', times: 1 });
    await bot.speak(ALICE, sweep(40, 300));
    expect(await broken.promise).toBeInstanceOf(Error);
  });

  it('datagrams come from the server and from strangers, old ones too', async () => {
    await using bot = await RawBot.start(0);
    bot.enter(ALICE);
    await bot.join();
    bot.listenTo(ALICE);
    await bot.speak(ALICE, SOUND);
    const said = SOUND.length / 480 + 1 + 5;
    await bot.eventually(() => bot.packetsFrom(ALICE).length === said, 'the speech');
    const data = bot.service.recentDatagrams().map((datagram) => Buffer.from(datagram).toString('base64'));
    expect(data).toHaveLength(said);
    for (const from of ['server', 'stranger'] as const) {
      bot.listenTo(ALICE);
      await bot.service.methods.voiceFault({ kind: 'datagrams', from, data });
      await bot.eventually(() => bot.packetsFrom(ALICE).length === said, `the replay from the ${from}`);
    }
  });

  it('frames reach the voice socket as they are', async () => {
    await using bot = await RawBot.start();
    bot.enter(ALICE);
    await bot.join();
    const error = Promise.withResolvers<Error>();
    bot.connection.on('error', error.resolve);
    await bot.service.methods.voiceFault({ kind: 'frame', text: '{"op":' });
    expect(await error.promise).toBeInstanceOf(SyntaxError);
  });
});
