"""Us and the peer on the same work in the same run; every figure that the README quotes comes from here.

``python -m benchmarks NAME`` runs one file of this folder, without NAME all of them. Each file has ``main()``, which
prints a table for a person to read and returns its figures.
"""
