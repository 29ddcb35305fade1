import { WavError, wavInfo, type WavInfo } from '../audio/wav.ts';
import { AttachmentError } from './attachment-error.ts';

/**
 * The header of a WAV file.
 * @param fileBytes Size of the file of which these bytes are the head.
 * @throws {AttachmentError}
 */
export function readWavInfo(bytes: Uint8Array, fileBytes = bytes.length): WavInfo {
  try {
    return wavInfo(bytes, fileBytes);
  } catch (cause) {
    if (cause instanceof WavError) throw new AttachmentError(cause.problem, cause.message, { cause });
    throw cause;
  }
}
