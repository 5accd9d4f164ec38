// Random numbers: SFC32 (Doty-Humphrey's small fast counter), the same draws for the same seed in every browser.

/** A function that returns uniform numbers in (0, 1). */
function randomNumbers(seed) {
  let a = 0, b = seed >>> 0, c = Math.floor(seed / 4294967296) >>> 0, counter = 1;
  const next = () => {
    const out = (a + b + counter) >>> 0;
    counter = (counter + 1) >>> 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) >>> 0;
    c = (((c << 21) | (c >>> 11)) + out) >>> 0;
    return out;
  };
  for (let i = 0; i < 15; i++) next();
  return () => (next() + 0.5) / 4294967296;
}

/** A standard normal number from two uniform ones (Box and Muller 1958). */
function normalNumber(random) {
  return Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random());
}
