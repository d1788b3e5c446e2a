from defectkeras.cli import annotation_options
from defectkeras.micrographs.annotations import ENCODINGS


def test_every_encoding_can_be_told():
    assert annotation_options.ENCODINGS == ENCODINGS
