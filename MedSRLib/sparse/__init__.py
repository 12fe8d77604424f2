"""Sparse coding with dictionaries of patches and of filters: tensors in, tensors out."""
