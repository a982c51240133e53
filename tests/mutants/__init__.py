"""Lines that must not be broken unnoticed, and a program that breaks each of them:
``python -m tests.mutants``.
"""
