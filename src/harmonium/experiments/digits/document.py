"""What is done again here: a web page that introduces Restricted Boltzmann Machines for speech, with a film of digits.

The film shows a digit and what a machine regenerates of it, in three states; the page says of them what is quoted below
and gives no sizes and no numbers.  The numbers to be reached are those of the papers that it rests on.
"""

from __future__ import annotations

CITATION = "a short introduction to Restricted Boltzmann Machines, written for a project on speech"
#: What the page says of the machine's output in the three states of its film, in quotation marks.
RANDOM = "with random weights “the output is only noise and not usable”"
PRE_TRAINED = "of a pre-trained machine “the regenerated output is quite good”"
CONFUSED = "it “sometimes gets confused with digits that are looking alike (e.g. 2 and 7)”"
FINE_TUNED = "fine-tuned by back-propagation it shows “good results but sometimes ambiguities”"
WHERE = "section 2"
CLASSIFIES = "a machine learns the distribution of data, and can then classify unknown data by it"

#: By what factor a code of 30 numbers is to be nearer than 30 principal components (Hinton and Salakhutdinov 2006).
CODE, CODE_FACTOR = 30, 3.0
CODE_SOURCE = "Hinton and Salakhutdinov (2006)"
#: Test errors to be reached, in per cent, and where they come from.
MARKS = {"features": 1.8, "dbn": 1.15}
MARK_SOURCES = {
    "features": "a published machine of 1,024 hidden units reaches 1.83 %",
    "dbn": "Hinton, Osindero and Teh (2006) and their successors report 1.15 to 1.25 %",
}
