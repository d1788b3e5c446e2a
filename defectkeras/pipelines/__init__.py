"""Stage 3, examples to batches.

Takes the examples of a data spec; gives a `tf.data.Dataset` of
(image (B, P, P, 1) float32, class_map (B, P, P) int32), in which every patch is
a pure function of (seed, epoch, index); may import: datasets, micrographs, core.
"""
