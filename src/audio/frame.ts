/**
 * The one sound format inside Parley: 24 kHz, mono, signed 16-bit. It is the model's rate, and libopus decodes to and
 * encodes from it directly, so no resampler stands between a voice packet and the model.
 */

/** Samples per second of every {@link Frame}. */
export const SAMPLE_RATE_HZ = 24_000;

/** Length of one frame: Discord's Opus packets carry 20 ms each. */
export const FRAME_MS = 20;

/** Samples in one frame. */
export const FRAME_SAMPLES = (SAMPLE_RATE_HZ * FRAME_MS) / 1000;

/** The RTP clock runs at 48 kHz for Opus whatever the coded rate (RFC 7587): timestamp units in one frame. */
export const RTP_TICKS_PER_FRAME = 960;

/** 20 ms of sound: exactly {@link FRAME_SAMPLES} samples of 24 kHz mono signed 16-bit PCM. */
export type Frame = Int16Array;

/** Opus's own "silence" packet; Discord sends five of them after speech so that the receiver does not extrapolate. */
export const OPUS_SILENCE = new Uint8Array([0xf8, 0xff, 0xfe]);

/** How many {@link OPUS_SILENCE} packets end a stretch of speech. */
export const TRAILING_SILENCE_FRAMES = 5;

/** Duration in milliseconds of `samples` samples at 24 kHz. */
export function durationMs(samples: number): number {
  return (samples * 1000) / SAMPLE_RATE_HZ;
}
