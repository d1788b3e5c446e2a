import numpy as np

from defectkeras.micrographs.frame import Frame


def test_frame_has_nothing_but_pixels_unless_told():
    frame = Frame(np.zeros((2, 3), np.uint8))

    assert frame.scale is None
    assert frame.palette is None
    assert frame.foil_thickness_nm is None
    assert frame.metadata == {}


def test_frames_do_not_share_their_metadata():
    pixels = np.zeros((2, 3), np.uint8)

    assert Frame(pixels).metadata is not Frame(pixels).metadata
