/**
 * Complex discrete Fourier transform in place: radix 2, double precision, forward, unscaled.
 * @throws {RangeError} when the length is no power of two, or the two parts differ in length.
 */
export function fft(real: Float64Array, imaginary: Float64Array): void {
  const size = real.length;
  if (size === 0 || (size & (size - 1)) !== 0 || imaginary.length !== size) {
    throw new RangeError(`a transform of ${size} and ${imaginary.length} values`);
  }
  reorder(real, imaginary);
  const { cosines, sines } = twiddles(size);
  for (let half = 1; half < size; half *= 2) {
    // The factors of each stage lie together, so that they stay in the cache.
    for (let block = 0; block < size; block += 2 * half) {
      for (let k = 0; k < half; k++) {
        const low = block + k;
        const high = low + half;
        const c = cosines[half + k]!;
        const s = sines[half + k]!;
        const re = real[high]! * c - imaginary[high]! * s;
        const im = real[high]! * s + imaginary[high]! * c;
        real[high] = real[low]! - re;
        imaginary[high] = imaginary[low]! - im;
        real[low] = real[low]! + re;
        imaginary[low] = imaginary[low]! + im;
      }
    }
  }
}

/** Factors of the stage with `half` butterflies stand at `half` to `2 * half - 1`. */
function twiddles(size: number): { cosines: Float64Array; sines: Float64Array } {
  const cosines = new Float64Array(size);
  const sines = new Float64Array(size);
  const last = size / 2;
  for (let k = 0; k < last; k++) {
    const angle = (-Math.PI * k) / last;
    cosines[last + k] = Math.cos(angle);
    sines[last + k] = Math.sin(angle);
  }
  for (let i = last - 1; i > 0; i--) {
    cosines[i] = cosines[2 * i]!;
    sines[i] = sines[2 * i]!;
  }
  return { cosines, sines };
}

/** Swaps each value with the one whose index has the bits reversed. */
function reorder(real: Float64Array, imaginary: Float64Array): void {
  const size = real.length;
  for (let i = 1, j = 0; i < size; i++) {
    let bit = size >> 1;
    for (; (j & bit) !== 0; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      [real[i], real[j]] = [real[j]!, real[i]!];
      [imaginary[i], imaginary[j]] = [imaginary[j]!, imaginary[i]!];
    }
  }
}
