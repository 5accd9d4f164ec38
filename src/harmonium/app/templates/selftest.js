// The page against Python: the test vectors that it carries, and how far its own answers are from them.

/** The largest difference of each quantity, relative where numbers are larger than 1. */
function differences(panels, modelAt) {
  const worst = { hidden: 0, reconstruction: 0, freeEnergy: 0, probabilities: 0, vectors: 0 };
  const note = (name, found, wanted) => {
    if (found == null || found.length !== wanted.length) worst[name] = Infinity;
    else {
      for (let i = 0; i < wanted.length; i++) {
        const off = Math.abs(found[i] - wanted[i]) / Math.max(1, Math.abs(wanted[i]));
        if (!(off <= worst[name])) worst[name] = Number.isNaN(off) ? Infinity : off;
      }
    }
  };
  panels.forEach((panel, at) => {
    for (const vector of panel.vectors) {
      const size = panel.pictures.shape[0] * panel.pictures.shape[1];
      const grey = panel.grey(vector.picture).subarray(0, size);
      const answer = modelAt(at, vector.state, vector.snapshot).answer(visibleOf(grey, panel.pictures));
      for (const name of ["hidden", "reconstruction", "probabilities"]) {
        if (vector[name] !== null) note(name, answer[name], singlesOf(vector[name]));
      }
      if (vector.freeEnergy !== null) note("freeEnergy", [answer.freeEnergy], [vector.freeEnergy]);
      worst.vectors += 1;
    }
  });
  return worst;
}
