import { describe, expect, it } from 'vitest';

import type { TransportMode } from '../../../src/sandbox/voice/transport-cipher.ts';
import { ALICE, BOB, BOT, RawBot, samplesOf, sweep } from './raw-bot.ts';
import { correlate } from '../../../src/audio/similarity.ts';

describe('an unmodified voice client on the wire', () => {
  it.each<{ mode: TransportMode; dave: 0 | 1 }>([
    { mode: 'aead_aes256_gcm_rtpsize', dave: 1 },
    { mode: 'aead_xchacha20_poly1305_rtpsize', dave: 1 },
    { mode: 'aead_aes256_gcm_rtpsize', dave: 0 },
  ])('hears and is heard with $mode and DAVE version $dave', async ({ mode, dave }) => {
    await using bot = await RawBot.start(dave);
    await bot.service.methods.setVoiceDefaults({ modes: [mode] });
    bot.enter(ALICE);
    expect(await bot.join()).toMatchObject({ mode, daveVersion: dave });

    expect(await bot.botHears(ALICE, sweep(500, 300))).toBeGreaterThan(0.95);
    const { correlation, heard } = await bot.heardBy(ALICE, sweep(500, 400));
    expect(correlation).toBeGreaterThan(0.95);
    expect(heard.packets.map(({ silence }) => silence)).toEqual([...Array(25).fill(false), ...Array(5).fill(true)]);

    const code = bot.service.privacyCode(ALICE);
    expect(bot.connection.voicePrivacyCode).toBe(code);
    expect(code?.length).toBe(dave === 1 ? 30 : undefined);
  });

  it('shows both ends the same verification code', async () => {
    await using bot = await RawBot.start();
    bot.enter(ALICE);
    await bot.join();
    const code = await bot.service.verificationCode(ALICE, BOT);
    expect(code).toHaveLength(45);
    expect(await bot.connection.getVerificationCode(ALICE)).toBe(code);
  });

  it('keeps two people who speak at once apart, for the bot and for each other', async () => {
    await using bot = await RawBot.start();
    bot.enter(ALICE, BOB);
    await bot.join();
    const [low, high] = [sweep(600, 250), sweep(600, 900)];
    const [alice, bob] = await Promise.all([bot.botHears(ALICE, low), bot.botHears(BOB, high)]);
    expect(alice).toBeGreaterThan(0.95);
    expect(bob).toBeGreaterThan(0.95);

    const heard = await bot.service.methods.heard({ personId: ALICE, fromUserId: BOB });
    expect(correlate(high, samplesOf(heard)).correlation).toBeGreaterThan(0.95);
  });

  it('tells when a person and the bot begin and end to speak', async () => {
    await using bot = await RawBot.start();
    bot.enter(ALICE);
    await bot.join();
    await bot.speak(ALICE, sweep(100, 300));
    const [began, ended] = [await bot.event('person-speaking', 0), await bot.event('person-speaking', 1)];
    expect([began.speaking, ended.speaking]).toEqual([true, false]);
    // Five or six frames of sound (the coder's look-ahead) and five of silence.
    expect(ended.atMs - began.atMs).toBeGreaterThan(180);

    const { heard } = await bot.heardBy(ALICE, sweep(100, 300));
    const speaking = await bot.event('bot-speaking', 0);
    expect(speaking).toMatchObject({ speaking: true, atMs: heard.packets[0]?.atMs });
    expect(await bot.event('bot-speaking', 1)).toMatchObject({ speaking: false, atMs: heard.packets.at(-1)?.atMs });
  });
});
