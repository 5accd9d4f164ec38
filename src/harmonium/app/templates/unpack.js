// Numbers out of base64: bytes, single precision, and half precision by a table of all its 65,536 values.

function bytesOf(text) {
  const letters = atob(text), bytes = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i++) bytes[i] = letters.charCodeAt(i);
  return bytes;
}

function singlesOf(text) {
  const bytes = bytesOf(text), view = new DataView(bytes.buffer), numbers = new Float32Array(bytes.length / 4);
  for (let i = 0; i < numbers.length; i++) numbers[i] = view.getFloat32(4 * i, true);
  return numbers;
}

const HALVES = (() => {
  const table = new Float32Array(65536);
  for (let i = 0; i < 65536; i++) {
    const exponent = (i >> 10) & 31, fraction = i & 1023;
    const size = exponent === 0 ? fraction * 2 ** -24
      : exponent === 31 ? (fraction ? NaN : Infinity) : (1 + fraction / 1024) * 2 ** (exponent - 15);
    table[i] = i & 32768 ? -size : size;
  }
  return table;
})();

function halvesOf(text) {
  const bytes = bytesOf(text), numbers = new Float32Array(bytes.length / 2);
  for (let i = 0; i < numbers.length; i++) numbers[i] = HALVES[bytes[2 * i] | (bytes[2 * i + 1] << 8)];
  return numbers;
}
